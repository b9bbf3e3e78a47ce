-- map/plain-replace.lua, layout 1
-- Sets or removes an entry of the documented layout only where its bytes are still the ones expected.
-- KEYS[1] entry
-- ARGV[1] expected ('' for no entry), ARGV[2] value ('' removes), ARGV[3] ttlMs ('' without end)
-- Returns {1}, or the bytes found as {0, bytes}, or {0, false}
local found = redis.call('GET', KEYS[1])
if (found or '') ~= ARGV[1] then
  return { 0, found }
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return { 1 }
