-- map/touch.lua, layout 1
-- Begins the lifetime of an entry anew. Value and owner stay; the version is a new one, so that readers take notice.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] ttlMs ('' without end), ARGV[3] key
-- Returns 1, or 0 when there is no entry of ours that has not ended
-- include entries.lua
purge()
local found = redis.call('HGET', KEYS[1], ARGV[3])
if not found or not alive(found) then
  return 0
end
local owner, value = string.match(found, '^%d+|%d*|([^|]*)|(.*)$')
if not owner then
  return 0
end
local version, ends = next_version(), end_of(ARGV[2])
write(ARGV[3], version .. '|' .. ends .. '|' .. owner .. '|', value, ends)
keep_alive()
announce(owner, { { key = ARGV[3], value = value, ends = ends } }, version)
return 1
