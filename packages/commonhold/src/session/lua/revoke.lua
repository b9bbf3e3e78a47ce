-- session/revoke.lua, layout 1
-- Revokes a session and hands out what it held. What this version cannot read is revoked too: another may honour it.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound)
-- ARGV[8] id, ARGV[9] user ('' for any), ARGV[10...] fields that what it held must have room for, none for any size
-- Returns the fields and values of a session that was live, or why it was not
-- include record.lua
-- include index.lua
local why, record, flat = find(KEYS[1])
if why and why ~= 'corrupt' or ARGV[9] ~= '' and ARGV[9] ~= record.u then
  return why or 'absent'
end
if not why and ARGV[10] and size_with(record, 10) > tonumber(ARGV[6]) then
  return 'too-large'
end
bury(KEYS[1], 'revoked', tombstone_ms)
local index = record.u and index_of(record.u)
-- Whatever stands in the place of the index must not keep anyone logged in.
if index and redis.call('TYPE', index).ok == 'zset' then
  redis.call('ZREM', index, ARGV[8])
end
return why or flat
