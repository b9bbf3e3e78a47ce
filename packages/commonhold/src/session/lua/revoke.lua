-- session/revoke.lua, layout 1
-- Revokes a session and hands out what it held. What this version cannot read is revoked too: another may honour it.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] id, ARGV[11] user ('' for any), ARGV[12] take ('1': the id must not be an old one, '' otherwise)
-- ARGV[13...] fields that what it held must have room for, none for any size
-- Returns the fields and values of a session that was live, or why it was not
-- include record.lua
-- include index.lua
local id, why, record, flat = follow(KEYS[1], ARGV[10])
if ARGV[12] == '1' and id ~= ARGV[10] then
  return 'revoked'
end
if why and why ~= 'corrupt' or ARGV[11] ~= '' and ARGV[11] ~= record.u then
  return why or 'absent'
end
if not why and ARGV[13] and size_with(record, 13) > tonumber(ARGV[6]) then
  return 'too-large'
end
bury(base .. id, 'revoked', tombstone_ms)
local index = record.u and index_of(record.u)
-- Whatever stands in the place of the index must not keep anyone logged in.
if index and redis.call('TYPE', index).ok == 'zset' then
  redis.call('ZREM', index, id)
end
tell('revoked ' .. id)
return why or flat
