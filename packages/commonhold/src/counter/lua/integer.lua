-- counter/integer.lua, layout 1
-- Reads a stored total or count: 0 when absent, nil when INCRBY would refuse it. Tells which sums are exact.
-- Defines integer(text), exact(sum)
local function integer(text)
  if not text then
    return 0
  end
  return (text == '0' or string.find(text, '^-?[1-9]%d*$')) and tonumber(text)
end
local function exact(sum)
  return sum >= -9007199254740991 and sum <= 9007199254740991
end
