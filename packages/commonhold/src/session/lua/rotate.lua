-- session/rotate.lua, layout 1
-- Moves a live session to a new id and revokes the old one. With another user the session is a new login.
-- KEYS[1] session, KEYS[2] new session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound)
-- ARGV[8] id, ARGV[9] newId, ARGV[10] user ('' to keep it), ARGV[11...] fields, each as name and value ('' to remove)
-- Returns the fields and values of the new session, or why there is none
-- include record.lua
-- include index.lua
local why, record = find(KEYS[1])
if why then
  return why
end
local size = size_with(record, 11)
if size > tonumber(ARGV[6]) then
  return 'too-large'
end
local user = ARGV[10] ~= '' and ARGV[10] or record.u
local index = user and index_of(user)
local old_index = record.u and index_of(record.u)
-- Each fails for a key of another type before anything is written.
if index then
  redis.call('ZCARD', index)
end
if old_index then
  redis.call('ZCARD', old_index)
end
local created_at, ends_at = record.c, tonumber(record.a)
if user ~= record.u then
  created_at, ends_at = now, now + tonumber(ARGV[3])
end
local expires_at = math.min(now + idle_ms, ends_at)
local header = { 'v', 1, 'c', created_at, 'l', now, 'a', ends_at, 's', size }
if user then
  header[#header + 1] = 'u'
  header[#header + 1] = user
end
write(KEYS[1], header, 11)
live_until(KEYS[1], record, expires_at)
-- Renaming keeps fields that only a newer version knows.
redis.call('RENAME', KEYS[1], KEYS[2])
bury(KEYS[1], 'revoked', tombstone_ms)
if old_index then
  redis.call('ZREM', old_index, ARGV[8])
end
if index then
  admit(index, ARGV[9], expires_at, ends_at)
end
return redis.call('HGETALL', KEYS[2])
