-- cache/fresh.lua, layout 1
-- Whether a value is there that lives for so many milliseconds or longer. What is no string is not ours: no value.
-- Defines is_fresh(entry, freshMs)
local function is_fresh(entry, freshMs)
  local left = redis.call('PTTL', entry)
  return (left == -1 or left >= tonumber(freshMs)) and redis.call('TYPE', entry).ok == 'string'
end
