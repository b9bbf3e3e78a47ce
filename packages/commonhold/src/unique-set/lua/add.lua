-- unique-set/add.lua, layout 1
-- Adds members to a set that ends; its life begins where there was none.
-- KEYS[1] set
-- ARGV[1] ttlMs, ARGV[2...] members, at most 5,000
-- Returns how many were new
local begins = redis.call('SCARD', KEYS[1]) == 0
local added = redis.call('SADD', KEYS[1], unpack(ARGV, 2))
if begins then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return added
