-- cache/mark.lua, layout 1
-- Clears tags: raises their marks above all that were given to them before, and tells every process. When too many tags
-- have marks, all are given this one.
-- KEYS[1] marks
-- ARGV[1] channel, ARGV[2] mostMarks, ARGV[3...] tags and their encoded names in turn
-- Returns the new mark
local mark = now
local function above(tag)
  mark = math.max(mark, tonumber(redis.call('HGET', KEYS[1], tag) or 0) + 1)
end
above('')
for i = 3, #ARGV, 2 do
  above(ARGV[i])
end
local text = string.format('%.0f', mark)
redis.call('HSETNX', KEYS[1], '', text)
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], text)
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[2]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], '', text)
  redis.call('PUBLISH', ARGV[1], 'tag:' .. text .. ':')
  return text
end
for i = 3, #ARGV, 2 do
  redis.call('PUBLISH', ARGV[1], 'tag:' .. text .. ':' .. ARGV[i + 1])
end
return text
