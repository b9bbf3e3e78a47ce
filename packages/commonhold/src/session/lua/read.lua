-- session/read.lua, layout 1
-- Reads a session by the server's clock. A live one is touched where asked; of an expired one only the reason is kept.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound)
-- ARGV[8] id, ARGV[9] touch ('1', or '' to leave its life as it is)
-- Returns the fields and values of a live session, or why it is not live
-- include record.lua
-- include index.lua
local why, record, flat, expires_at = find(KEYS[1])
if why and expires_at then
  local keep_ms = expires_at + remember_ms - now
  bury(KEYS[1], why, keep_ms)
  return keep_ms > 0 and why or 'absent'
end
if why or ARGV[9] == '' then
  return why or flat
end
local index = record.u and index_of(record.u)
-- Fails for a key of another type before anything is written.
if index then
  redis.call('ZCARD', index)
end
local ends_at = tonumber(record.a)
expires_at = math.min(now + idle_ms, ends_at)
-- First, so that a session stays usable when memory is full.
live_until(KEYS[1], record, expires_at)
redis.call('HSET', KEYS[1], 'l', now)
if index then
  enlist(index, ARGV[8], expires_at, ends_at)
end
return redis.call('HGETALL', KEYS[1])
