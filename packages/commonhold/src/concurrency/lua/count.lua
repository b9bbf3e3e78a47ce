-- concurrency/count.lua, layout 1
-- Says how many hold a slot and how many wait for one.
-- KEYS[1] slots, KEYS[2] leases
-- Returns {how many hold one, how many wait}
return { redis.call('ZCOUNT', KEYS[1], now, '+inf'), redis.call('ZCOUNT', KEYS[2], now, '+inf') }
