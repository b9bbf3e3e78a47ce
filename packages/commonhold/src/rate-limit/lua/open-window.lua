-- rate-limit/open-window.lua, layout 1
-- Reads a window: units used, and milliseconds until the next one may begin; 0 and 0 when none is open.
-- Defines openWindow(key)

-- What is no count answers nil: nobody knows how much was used. A count that lost its expiry is as good as none, or it
-- would block for ever.
local function openWindow(key)
  local used = redis.call('GET', key)
  if not used then
    return 0, 0
  end
  if #used > 16 or used ~= '0' and not string.find(used, '^[1-9]%d*$') then
    return nil
  end
  local left = redis.call('PTTL', key)
  if left < 0 then
    return 0, 0
  end
  return tonumber(used), left + 1
end
