-- rate-limit/refund-once.lua, layout 1
-- Takes back the hit of an operation that was admitted, as refund.lua does, and forgets the operation: a second time it
-- finds nothing to take back.
-- KEYS[1] operation, KEYS[2...] meters
-- ARGV[1] weight, ARGV[2] atMs, ARGV[3] channel, ARGV[4] subject
-- ARGV[5...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns 1 when anything was given back, 0 otherwise
-- include give-back.lua
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local meters = read_meters(2, 5)
if not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
-- What frees memory comes first, so that the step also runs when there is none.
redis.call('DEL', KEYS[1])
local changed = give_back(meters, tonumber(ARGV[1]), tonumber(ARGV[2]))
if changed == 1 then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return changed
