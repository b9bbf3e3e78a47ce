-- rate-limit/give-back.lua, layout 1
-- Takes a hit back, as far as time has not given back as much since it came.
-- Defines give_back(meters, weight, at)
-- include meters.lua

-- What time gave back since the hit is not given twice: it could not have, had the hit not come.
local function left_in_bucket(meter, weight, at)
  local cost = weight * meter.unit
  local steps = whole_ceil(math.max(0, meter.since - at), meter.every)
  return steps < whole_ceil(cost, meter.refill) and cost - steps * meter.refill or 0
end

local function take_from_grains(meter, weight, at)
  for index, grain in ipairs(meter.grains) do
    if whole_floor(grain.at, meter.refill) == whole_floor(at, meter.refill) then
      local amount = math.min(weight, grain.units)
      grain.units = grain.units - amount
      if grain.units == 0 then
        table.remove(meter.grains, index)
      end
      return amount
    end
  end
  return 0
end

-- 1 when anything was given back, 0 otherwise.
local function give_back(meters, weight, at)
  local changed = 0
  for _, meter in ipairs(meters) do
    local amount = (meter.grains and take_from_grains or left_in_bucket)(meter, weight, at)
    if amount > 0 and meter.used > 0 then
      meter.used = math.max(0, meter.used - amount)
      store(meter)
      changed = 1
    end
  end
  return changed
end
