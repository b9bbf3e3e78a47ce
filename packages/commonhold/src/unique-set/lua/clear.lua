-- unique-set/clear.lua, layout 1
-- Removes a set, unless what is there is no set.
-- KEYS[1] set
-- Returns how many members it had
local count = redis.call('SCARD', KEYS[1])
redis.call('UNLINK', KEYS[1])
return count
