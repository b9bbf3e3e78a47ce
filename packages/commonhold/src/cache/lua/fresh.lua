-- cache/fresh.lua, layout 1
-- Whether a value is there that lives for so many milliseconds or longer.
-- Defines is_fresh(entry, freshMs)
local function is_fresh(entry, freshMs)
  local left = redis.call('PTTL', entry)
  return left == -1 or left >= tonumber(freshMs)
end
