-- cache/read.lua, layout 1
-- Takes a value and how long it still lives.
-- KEYS[1] entry
-- Returns {value, milliseconds left or -1 without end}, or null when absent
local value = redis.call('GET', KEYS[1])
return value and { value, redis.call('PTTL', KEYS[1]) }
