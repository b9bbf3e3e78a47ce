-- rate-limit/refund.lua, layout 1
-- Takes a hit back, as far as time has not given back as much since it came. Who remembers a refusal is told.
-- KEYS[1...] meters
-- ARGV[1] weight, ARGV[2] atMs, ARGV[3] channel, ARGV[4] subject
-- ARGV[5...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns 1 when anything was given back, 0 otherwise
-- include give-back.lua
local meters = read_meters(1, 5)
if not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
local changed = give_back(meters, tonumber(ARGV[1]), tonumber(ARGV[2]))
if changed == 1 then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return changed
