-- counter/add-once.lua, layout 1
-- Adds to a total, and to the count of today where days are counted, unless this operation has been done. A refusal is
-- not remembered: it did nothing.
-- KEYS[1] total, KEYS[2] operation, KEYS[3] days
-- ARGV[1] by, ARGV[2] ttlMs ('' without end), ARGV[3] keepMs ('' without days), ARGV[4] rememberMs
-- Returns the total as text, as it was when the operation was done; false when a sum would not be exact and nothing was
-- added; 'reused' when the id was given to another operation
-- include integer.lua
-- include today.lua
-- include operation.lua
local answer = operation_answer(KEYS[2], ARGV[1])
if answer ~= nil then
  return answer or 'reused'
end
local stored = redis.call('GET', KEYS[1])
local total = integer(stored)
local today = ARGV[3] ~= '' and read_today(KEYS[3])
if not total or today and not today.count then
  return redis.error_reply('WRONGTYPE the total or the count of a day is not a whole number')
end
local by = tonumber(ARGV[1])
if not exact(total + by) or today and not exact(today.count + by) then
  return false
end
local sum = string.format('%.0f', total + by)
remember_operation(KEYS[2], ARGV[1], sum, ARGV[4])
if today then
  count_today(KEYS[3], today, ARGV[1], ARGV[3])
end
if stored or ARGV[2] == '' then
  redis.call('INCRBY', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return sum
