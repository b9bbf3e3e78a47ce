-- rate-limit/consume-fixed-window.lua, layout 1
-- Counts a hit if it fits into the window that is open, or opens one.
-- KEYS[1] window
-- ARGV[1] limit, ARGV[2] windowMs, ARGV[3] weight (1 to limit)
-- Returns {1 admitted or 0 refused, units used after it, milliseconds until the window ends}
-- include open-window.lua
local used, left = openWindow(KEYS[1])
if not used then
  return redis.error_reply('WRONGTYPE the units used are not a whole number')
end
if used + tonumber(ARGV[3]) > tonumber(ARGV[1]) then
  return { 0, used, left }
end
if left > 0 then
  return { 1, redis.call('INCRBY', KEYS[1], ARGV[3]), left }
end
-- A key lives through the millisecond at which it expires, the next window begins with the one after.
redis.call('SET', KEYS[1], ARGV[3], 'PX', string.format('%.0f', tonumber(ARGV[2]) - 1))
return { 1, tonumber(ARGV[3]), tonumber(ARGV[2]) }
