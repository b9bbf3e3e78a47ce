-- session/rotate.lua, layout 1
-- Moves a live session to a new id and revokes the old one, which a renewal leaves open for reading during its grace. With
-- another user the session is a new login.
-- KEYS[1] session, KEYS[2] new session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] id, ARGV[11] newId, ARGV[12] user ('' to keep it), ARGV[13] device ('' to keep it)
-- ARGV[14] graceMs of a renewal ('' for none), ARGV[15...] fields, each as name and value ('' to remove)
-- Returns the fields and values of the new session, or why there is none
-- include record.lua
-- include index.lua
local why, record = find(KEYS[1])
if why then
  return why
end
local size = size_with(record, 15)
if size > tonumber(ARGV[6]) then
  return 'too-large'
end
local user = ARGV[12] ~= '' and ARGV[12] or record.u
local index = user and index_of(user)
local old_index = record.u and index_of(record.u)
-- Fails for a key of another type before anything is written.
if old_index then
  redis.call('ZCARD', old_index)
end
if index and index ~= old_index and is_full(index) then
  return 'full'
end
local created_at, ends_at = record.c, tonumber(record.a)
local header = { 'v', 1, 'l', now, 's', size }
if index ~= old_index then
  created_at, ends_at = now, now + tonumber(ARGV[3])
elseif ARGV[12] ~= '' then
  header[#header + 1] = 't'
  header[#header + 1] = now
end
local expires_at = math.min(now + idle_ms, ends_at)
for name, value in pairs({ c = created_at, a = ends_at, u = user, e = ARGV[13] ~= '' and ARGV[13] or nil }) do
  header[#header + 1] = name
  header[#header + 1] = value
end
write(KEYS[1], header, 15)
-- Writing comes first, so that memory being full is found out in time.
if index ~= old_index then
  redis.call('HDEL', KEYS[1], unpack(ARGV[13] == '' and { 't', 'e' } or { 't' }))
end
live_until(KEYS[1], record, expires_at)
-- Renaming keeps fields that only a newer version knows.
redis.call('RENAME', KEYS[1], KEYS[2])
local grace_ms = tonumber(ARGV[14])
if grace_ms and grace_ms > 0 then
  redis.call('HSET', KEYS[1], 'x', 'renewed', 'n', ARGV[11], 'g', now + grace_ms, 'u', user or '')
  redis.call('PEXPIRE', KEYS[1], math.max(tombstone_ms, grace_ms))
else
  bury(KEYS[1], 'revoked', tombstone_ms)
end
if old_index then
  redis.call('ZREM', old_index, ARGV[10])
end
if index then
  admit(index, ARGV[11], expires_at, ends_at)
end
tell(grace_ms and 'renewed ' .. ARGV[10] .. ' ' .. ARGV[11] or 'revoked ' .. ARGV[10])
return redis.call('HGETALL', KEYS[2])
