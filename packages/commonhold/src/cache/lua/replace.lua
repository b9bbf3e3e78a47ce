-- cache/replace.lua, layout 1
-- Sets a value and ends the claim on it: what is being computed now is older and will not be stored. Who waits for it is
-- woken, and finds the new value.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] channel ('' tells nobody), ARGV[4] value, ARGV[5] ttlMs ('' without end)
-- Returns 1
-- include waiting.lua
-- include announce.lua
local claim = redis.call('HGETALL', KEYS[2])
if ARGV[5] == '' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
redis.call('DEL', KEYS[2])
wakeWaiting(claim, ARGV[1], ARGV[2])
announce(ARGV[3], ARGV[1])
return 1
