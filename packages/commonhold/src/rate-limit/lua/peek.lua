-- rate-limit/peek.lua, layout 1
-- Says what a hit would be answered, and changes nothing.
-- KEYS[1] block, KEYS[2...] meters
-- ARGV[1] weight, ARGV[2...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns {1 it fits or 0 it does not, now, milliseconds blocked, then of each rule: units left, milliseconds until
-- empty, milliseconds until the hit fits}
-- include answer.lua
local weight = tonumber(ARGV[1])
local blocked = block_left(KEYS[1])
local meters = read_meters(2, 2)
if not blocked or not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
local allowed = blocked == 0
for _, meter in ipairs(meters) do
  allowed = allowed and until_fits(meter, weight) == 0
end
return answer(allowed, blocked, meters, weight)
