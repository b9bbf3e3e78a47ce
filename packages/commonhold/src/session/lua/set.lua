-- session/set.lua, layout 1
-- Writes fields of a live session, where asked only if nobody wrote since. Two commands and no clock: it runs often.
-- KEYS[1] session
-- ARGV[1] version ('' for any), ARGV[2] maxBytes, ARGV[3...] fields, each as name and value ('' to remove)
-- Returns the new version, or the fields and values where the version is another, or 'ended', or 'too-large'
local names = { 'x', 'r', 'v', 's' }
for i = 3, #ARGV, 2 do
  names[#names + 1] = 'd.' .. ARGV[i]
end
local held = redis.call('HMGET', KEYS[1], unpack(names))
local remember_ms, version, size = tonumber(held[2] or '0'), tonumber(held[3]), tonumber(held[4])
if held[1] or not (remember_ms and version and size) then
  return 'ended'
end
-- The key of a remembered session outlives the session by as much.
if remember_ms > 0 and redis.call('PTTL', KEYS[1]) < remember_ms then
  return 'ended'
end
if ARGV[1] ~= '' and ARGV[1] ~= held[3] then
  return redis.call('HGETALL', KEYS[1])
end
local written, removed = { 'v', version + 1, 's', 0 }, {}
for i = 5, #names do
  local at = 2 * i - 7
  local name, value = names[i], ARGV[at + 1]
  size = size - (held[i] and #name - 2 + #held[i] or 0)
  if value == '' then
    removed[#removed + 1] = name
  else
    size = size + #name - 2 + #value
    written[#written + 1] = name
    written[#written + 1] = value
  end
end
if size > tonumber(ARGV[2]) then
  return 'too-large'
end
written[4] = size
redis.call('HSET', KEYS[1], unpack(written))
if #removed > 0 then
  redis.call('HDEL', KEYS[1], unpack(removed))
end
return version + 1
