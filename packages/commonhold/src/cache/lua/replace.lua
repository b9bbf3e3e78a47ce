-- cache/replace.lua, layout 1
-- Sets a value and ends the claim on it: what is being computed now is older and will not be stored. Who waits for it is
-- woken, and finds the new value.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] value, ARGV[4] ttlMs ('' without end)
-- Returns 1
-- include waiting.lua
local claim = redis.call('HGETALL', KEYS[2])
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], ARGV[3])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
redis.call('DEL', KEYS[2])
wakeWaiting(claim, ARGV[1], ARGV[2])
return 1
