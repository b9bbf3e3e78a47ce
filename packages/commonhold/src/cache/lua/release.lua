-- cache/release.lua, layout 1
-- Ends a claim, with the computed value or without, and wakes every process that waits for it. A value that is fresh was
-- set meanwhile: it is newer than what was computed, and stays.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] topic, ARGV[2] wakePrefix, ARGV[3] channel ('' tells nobody), ARGV[4] token
-- ARGV[5] ttlMs ('' without end, '-' without a value), ARGV[6] value, ARGV[7] freshMs
-- Returns 1, or 0 when the token no longer holds the claim and nothing was done
-- include waiting.lua
-- include announce.lua
-- include fresh.lua
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[4] then
  return 0
end
local claim = redis.call('HGETALL', KEYS[2])
redis.call('DEL', KEYS[2])
if ARGV[5] ~= '-' and not is_fresh(KEYS[1], ARGV[7]) then
  if ARGV[5] == '' then
    redis.call('SET', KEYS[1], ARGV[6])
  else
    redis.call('SET', KEYS[1], ARGV[6], 'PX', ARGV[5])
  end
end
wakeWaiting(claim, ARGV[1], ARGV[2])
announce(ARGV[3], ARGV[1])
return 1
