-- redis/probe.lua, layout 1
-- Writes a value and reads it back, which a ping does not prove.
-- KEYS[1] probe
-- ARGV[1] value
-- Returns the value
redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000)
return redis.call('GET', KEYS[1])
