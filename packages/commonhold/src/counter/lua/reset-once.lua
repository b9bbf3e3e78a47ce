-- counter/reset-once.lua, layout 1
-- Removes a total, unless what is there is no total, or this operation has been done.
-- KEYS[1] total, KEYS[2] operation
-- ARGV[1] rememberMs
-- Returns the total as text, 0 when absent; 'reused' when the id was given to another operation
-- include integer.lua
-- include operation.lua
local answer = operation_answer(KEYS[2], 'reset')
if answer ~= nil then
  return answer or 'reused'
end
local total = integer(redis.call('GET', KEYS[1]))
if not total or not exact(total) then
  return redis.error_reply('WRONGTYPE the total is not a whole number within 2^53-1')
end
redis.call('DEL', KEYS[1])
remember_operation(KEYS[2], 'reset', string.format('%.0f', total), ARGV[1])
return string.format('%.0f', total)
