-- cache/release.lua, layout 1
-- Ends a claim, with the computed value or without, and wakes every process that waits for it. What was set meanwhile is
-- newer than what was computed, and stays.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] token, ARGV[2] topic, ARGV[3] wakePrefix, ARGV[4] ttlMs ('' without end, '-' without a value), ARGV[5] value
-- Returns 1, or 0 when the token no longer holds the claim and nothing was done
-- include waiting.lua
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[1] then
  return 0
end
local claim = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], ARGV[5], 'NX')
elseif ARGV[4] ~= '-' then
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[4], 'NX')
end
wakeWaiting(claim, ARGV[2], ARGV[3])
return 1
