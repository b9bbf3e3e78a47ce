-- rate-limit/hit.lua, layout 1
-- Counts a hit under every rule, if the subject is not blocked and the hit fits under each.
-- Defines count_hit(block, first_key, first_argument, weight)
-- include answer.lua

local function add_to_grains(grains, grain_ms, weight)
  local last = grains[#grains]
  if last and whole_floor(last.at, grain_ms) == whole_floor(now, grain_ms) then
    last.units, last.at = last.units + weight, now
  else
    table.insert(grains, { units = weight, at = now })
  end
end

local function fits(meters, weight)
  for _, meter in ipairs(meters) do
    if meter.used + weight * meter.unit > meter.capacity then
      return false
    end
  end
  return true
end

-- What the hit is answered, and whether it was counted; nil where a key holds something else.
local function count_hit(block, first_key, first_argument, weight)
  local blocked = block_left(block)
  local meters = read_meters(first_key, first_argument)
  if not blocked or not meters then
    return nil
  end
  local allowed = blocked == 0 and fits(meters, weight)
  if not allowed then
    return answer(false, blocked, meters, weight), false
  end
  for _, meter in ipairs(meters) do
    meter.used = meter.used + weight * meter.unit
    if meter.grains then
      add_to_grains(meter.grains, meter.refill, weight)
    end
    store(meter)
  end
  return answer(true, 0, meters, weight), true
end
