-- counter/add.lua, layout 1
-- Adds to a total; its life begins where there was none.
-- KEYS[1] total
-- ARGV[1] by, ARGV[2] ttlMs ('' without end)
-- Returns the new total, or false when it would not be exact and nothing was added
-- include integer.lua
local stored = redis.call('GET', KEYS[1])
local total = integer(stored)
if not total then
  return redis.error_reply('WRONGTYPE the total is not a whole number')
end
if not exact(total + tonumber(ARGV[1])) then
  return false
end
if stored or ARGV[2] == '' then
  return redis.call('INCRBY', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return tonumber(ARGV[1])
