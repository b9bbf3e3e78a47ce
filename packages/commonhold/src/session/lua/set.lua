-- session/set.lua, layout 1
-- Writes fields of a live session, where asked only if nobody wrote since.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxPerUser (0 without bound), ARGV[7] maxBytes
-- ARGV[8] version ('' for any), ARGV[9...] fields, each as name and value ('' to remove)
-- Returns the new version, or the fields and values where the version is another, or why nothing was written
-- include record.lua
local why, record, flat = find(KEYS[1])
if why then
  return why
end
if ARGV[8] ~= '' and ARGV[8] ~= record.v then
  return flat
end
if outgrown(record, 9) then
  return 'too-large'
end
local version = redis.call('HINCRBY', KEYS[1], 'v', 1)
write(KEYS[1], 9)
return version
