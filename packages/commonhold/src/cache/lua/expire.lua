-- cache/expire.lua, layout 1
-- Makes a value stale, and ends the claim on it as a deletion does.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] channel ('' tells nobody), ARGV[4] staleMs
-- Returns 1 when the value was not stale yet, else 0
-- include waiting.lua
-- include announce.lua
-- include fresh.lua
local claim = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
local fresh = is_fresh(KEYS[1], ARGV[4])
if fresh then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[4] - 1))
end
wakeWaiting(claim, ARGV[1], ARGV[2])
announce(ARGV[3], ARGV[1])
return fresh and 1 or 0
