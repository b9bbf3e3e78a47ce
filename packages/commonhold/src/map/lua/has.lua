-- map/has.lua, layout 1
-- Says whether an entry is there and has not ended, without reading it.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] key
-- Returns 1 or 0
-- include entries.lua
local ends = timed > 0 and redis.call('ZSCORE', KEYS[2], ARGV[2])
if ends and now > tonumber(ends) then
  purge()
  return 0
end
return redis.call('HEXISTS', KEYS[1], ARGV[2])
