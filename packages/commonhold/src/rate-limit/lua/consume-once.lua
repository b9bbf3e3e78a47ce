-- rate-limit/consume-once.lua, layout 1
-- Counts a hit as consume.lua does, unless this operation was admitted. A refusal is not remembered: it counted nothing.
-- KEYS[1] block, KEYS[2] operation, KEYS[3...] meters
-- ARGV[1] weight, ARGV[2] what, ARGV[3] rememberMs
-- ARGV[4...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns what consume.lua does, as text with a space between the numbers, as it was when the operation was admitted;
-- 'reused' when the id was given to another operation
-- include ../../counter/lua/operation.lua
-- include hit.lua
local before = operation_answer(KEYS[2], ARGV[2])
if before ~= nil then
  return before or 'reused'
end
local reply, counted = count_hit(KEYS[1], 3, 4, tonumber(ARGV[1]))
if not reply then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
for index, number in ipairs(reply) do
  reply[index] = string.format('%.0f', number)
end
local text = table.concat(reply, ' ')
if counted then
  remember_operation(KEYS[2], ARGV[2], text, ARGV[3])
end
return text
