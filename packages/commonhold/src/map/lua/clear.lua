-- map/clear.lua, layout 1
-- Removes every entry. The version last given stays, so that it is not given again.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] owner
-- Returns how many entries there were that had not ended
-- include entries.lua
local held = redis.call('HLEN', KEYS[1]) - 1
if held <= 0 then
  return 0
end
local ended = timed > 0 and redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. whole(now)) or 0
local version = redis.call('HGET', KEYS[1], '')
redis.call('UNLINK', KEYS[1], KEYS[2])
timed = 0
if version then
  redis.call('HSET', KEYS[1], '', version)
  keep_alive()
end
announce(ARGV[2])
return math.max(0, held - ended)
