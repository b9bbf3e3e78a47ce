-- map/plain-entry.lua, layout 1
-- Reads an entry of the documented layout and when it ends.
-- KEYS[1] entry
-- Returns {value, end in server milliseconds since 1970, '' without end}, or {} for no entry
local value = redis.call('GET', KEYS[1])
if not value then
  return {}
end
local left = redis.call('PTTL', KEYS[1])
return { value, left < 0 and '' or string.format('%.0f', now + left) }
