-- lock/now.lua, layout 1
-- Reads the clock that ends leases.
-- KEYS[1] lock
-- Returns milliseconds since 1970
redis.call('EXISTS', KEYS[1])
return now
