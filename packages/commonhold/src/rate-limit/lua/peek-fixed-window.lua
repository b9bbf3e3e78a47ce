-- rate-limit/peek-fixed-window.lua, layout 1
-- Looks at a window and changes nothing.
-- KEYS[1] window
-- Returns {units used, milliseconds until the window ends, 0 when none is open}
-- include open-window.lua
local used, left = openWindow(KEYS[1])
if not used then
  return redis.error_reply('WRONGTYPE the units used are not a whole number')
end
return { used, left }
