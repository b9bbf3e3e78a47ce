-- map/count.lua, layout 1
-- Counts the entries that have not ended.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced
-- Returns how many
-- include entries.lua
purge()
local ended = timed > 0 and redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. whole(now)) or 0
return math.max(0, redis.call('HLEN', KEYS[1]) - 1 - ended)
