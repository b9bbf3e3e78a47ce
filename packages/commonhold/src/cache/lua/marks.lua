-- cache/marks.lua, layout 1
-- Takes the marks of all tags. Where there are none, what was made before may have been cleared: the least mark begins now.
-- KEYS[1] marks
-- Returns tags and their marks in turn, the empty tag for the least mark of all
local marks = redis.call('HGETALL', KEYS[1])
if #marks == 0 then
  local mark = string.format('%.0f', now)
  redis.call('HSET', KEYS[1], '', mark)
  return { '', mark }
end
return marks
