-- rate-limit/consume.lua, layout 1
-- Counts a hit under every rule, if the subject is not blocked and the hit fits under each.
-- KEYS[1] block, KEYS[2...] meters
-- ARGV[1] weight, ARGV[2...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns {1 admitted or 0 refused, now, milliseconds blocked, then of each rule: units left, milliseconds until empty,
-- milliseconds until the hit fits}
-- include answer.lua
local weight = tonumber(ARGV[1])
local blocked = block_left(KEYS[1])
local meters = read_meters(2, 2)
if not blocked or not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
local allowed = blocked == 0
for _, meter in ipairs(meters) do
  if meter.used + weight * meter.unit > meter.capacity then
    allowed = false
  end
end
if not allowed then
  return answer(false, blocked, meters, weight)
end

local function add_to_grains(grains, grain_ms)
  local last = grains[#grains]
  if last and whole_floor(last.at, grain_ms) == whole_floor(now, grain_ms) then
    last.units, last.at = last.units + weight, now
  else
    table.insert(grains, { units = weight, at = now })
  end
end

for _, meter in ipairs(meters) do
  meter.used = meter.used + weight * meter.unit
  if meter.grains then
    add_to_grains(meter.grains, meter.refill)
  end
  store(meter)
end
return answer(true, 0, meters, weight)
