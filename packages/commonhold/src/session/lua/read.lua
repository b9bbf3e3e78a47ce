-- session/read.lua, layout 1
-- Reads a session by the server's clock. A live one is touched where asked; of an expired one only the reason is kept. The
-- old id of a renewed session opens it during the grace, which is no use of it; the first time after that is reported.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] id, ARGV[11] touch ('1', or '' to leave its life as it is)
-- Returns the fields and values of a live session, with its id as field i where that is another, or why it is not live; of
-- an old id after its grace the fields x ('reused'), n (new id) and u (user)
-- include record.lua
-- include index.lua
local id, why, record, flat, expires_at = follow(KEYS[1], ARGV[10])
local key = base .. id
if why and expires_at then
  local keep_ms = expires_at + remember_ms - now
  bury(key, why, keep_ms)
  tell(why .. ' ' .. id)
  return keep_ms > 0 and why or 'absent'
end
if why == 'renewed' then
  bury(key, 'revoked', math.max(1, redis.call('PTTL', key)))
  return { 'x', 'reused', 'n', record.n or id, 'u', record.u or '' }
end
if not why and id ~= ARGV[10] then
  flat[#flat + 1] = 'i'
  flat[#flat + 1] = id
  return flat
end
if why or ARGV[11] == '' then
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
live_until(key, record, expires_at)
redis.call('HSET', key, 'l', now)
if index then
  enlist(index, id, expires_at, ends_at)
end
return redis.call('HGETALL', key)
