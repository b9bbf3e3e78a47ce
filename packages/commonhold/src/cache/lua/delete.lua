-- cache/delete.lua, layout 1
-- Removes a value and the claim on it: what is being computed now is older than the deletion and will not be stored. Who
-- waits for it is woken, and one of them computes anew.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] channel ('' tells nobody)
-- Returns how many values were removed, 0 or 1
-- include waiting.lua
-- include announce.lua
local claim = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
local removed = redis.call('DEL', KEYS[1])
wakeWaiting(claim, ARGV[1], ARGV[2])
announce(ARGV[3], ARGV[1])
return removed
