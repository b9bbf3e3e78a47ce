-- counter/reset.lua, layout 1
-- Removes a total, unless what is there is no total.
-- KEYS[1] total
-- Returns the total, 0 when absent
-- include integer.lua
local total = integer(redis.call('GET', KEYS[1]))
if not total or not exact(total) then
  return redis.error_reply('WRONGTYPE the total is not a whole number within 2^53-1')
end
redis.call('DEL', KEYS[1])
return total
