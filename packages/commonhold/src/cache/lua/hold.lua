-- cache/hold.lua, layout 1
-- Ends a computation that failed, wakes every process that waits for it, and gives nobody the right to begin again for a
-- while.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] token, ARGV[4] holdMs
-- Returns 1, or 0 when the token no longer holds the claim and nothing was done
-- include waiting.lua
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[3] then
  return 0
end
local claim = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'token', '!')
redis.call('PEXPIRE', KEYS[2], ARGV[4])
wakeWaiting(claim, ARGV[1], ARGV[2])
return 1
