-- rate-limit/refund.lua, layout 1
-- Takes a hit back, as far as time has not given back as much since it came. Who remembers a refusal is told.
-- KEYS[1...] meters
-- ARGV[1] weight, ARGV[2] atMs, ARGV[3] channel, ARGV[4] subject
-- ARGV[5...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns 1 when anything was given back, 0 otherwise
-- include meters.lua
local weight, at = tonumber(ARGV[1]), tonumber(ARGV[2])
local meters = read_meters(1, 5)
if not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end

-- What time gave back since the hit is not given twice: it could not have, had the hit not come.
local function left_in_bucket(meter)
  local cost = weight * meter.unit
  local steps = whole_ceil(math.max(0, meter.since - at), meter.every)
  return steps < whole_ceil(cost, meter.refill) and cost - steps * meter.refill or 0
end

local function take_from_grains(grains, grain_ms)
  for index, grain in ipairs(grains) do
    if whole_floor(grain.at, grain_ms) == whole_floor(at, grain_ms) then
      local amount = math.min(weight, grain.units)
      grain.units = grain.units - amount
      if grain.units == 0 then
        table.remove(grains, index)
      end
      return amount
    end
  end
  return 0
end

local changed = 0
for _, meter in ipairs(meters) do
  local amount = meter.grains and take_from_grains(meter.grains, meter.refill) or left_in_bucket(meter)
  if amount > 0 and meter.used > 0 then
    meter.used = math.max(0, meter.used - amount)
    store(meter)
    changed = 1
  end
end
if changed == 1 then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return changed
