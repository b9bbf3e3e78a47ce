-- counter/add-daily.lua, layout 1
-- Adds to a total and to the count of today.
-- KEYS[1] total, KEYS[2] days
-- ARGV[1] by, ARGV[2] ttlMs ('' without end), ARGV[3] keepMs
-- Returns the new total, or false when a sum would not be exact and nothing was added
-- include integer.lua
-- include today.lua
local stored = redis.call('GET', KEYS[1])
local total = integer(stored)
local today = read_today(KEYS[2])
if not total or not today.count then
  return redis.error_reply('WRONGTYPE the total or the count of a day is not a whole number')
end
local by = tonumber(ARGV[1])
if not exact(total + by) or not exact(today.count + by) then
  return false
end
count_today(KEYS[2], today, ARGV[1], ARGV[3])
if stored or ARGV[2] == '' then
  return redis.call('INCRBY', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return by
