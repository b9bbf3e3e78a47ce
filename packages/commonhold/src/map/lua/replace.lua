-- map/replace.lua, layout 1
-- Sets or removes an entry only where it is still the one expected.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] owner, ARGV[3] ttlMs ('' without end)
-- ARGV[4] version expected ('' for no entry), ARGV[5] key, ARGV[6] value ('' removes)
-- Returns the version written as {version}, '' for a removal, or header and value of the entry found as {false, entry}, or {false, false}
-- include entries.lua
purge()
local found = redis.call('HGET', KEYS[1], ARGV[5])
if found and not alive(found) then
  found = false
end
local known = found and (string.match(found, '^(%d+)|%d*|[^|]*|') or '?') or ''
if known ~= ARGV[4] then
  return { false, found }
end
if ARGV[6] == '' then
  if found then
    redis.call('HDEL', KEYS[1], ARGV[5])
    timed = timed - redis.call('ZREM', KEYS[2], ARGV[5])
    keep_alive()
    announce(ARGV[2], { { key = ARGV[5] } })
  end
  return { '' }
end
local version, ends = next_version(), end_of(ARGV[3])
write(ARGV[5], version .. '|' .. ends .. '|' .. ARGV[2] .. '|', ARGV[6], ends)
keep_alive()
announce(ARGV[2], { { key = ARGV[5], value = ARGV[6], ends = ends } }, version)
return { version }
