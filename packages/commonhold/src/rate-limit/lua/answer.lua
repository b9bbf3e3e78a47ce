-- rate-limit/answer.lua, layout 1
-- What a hit is answered.
-- Defines answer(allowed, blocked, meters, weight)
-- include meters.lua

local function answer(allowed, blocked, meters, weight)
  local reply = { allowed and 1 or 0, now, blocked }
  for _, meter in ipairs(meters) do
    table.insert(reply, remaining(meter))
    table.insert(reply, until_empty(meter))
    table.insert(reply, allowed and 0 or until_fits(meter, weight))
  end
  return reply
end
