-- session/look.lua, layout 1
-- Looks whether a session goes on, for whoever holds it open: under the id that it has now, which is no use of it.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] id
-- Returns {id, time of expiry} of a live session, or why it is not live
-- include record.lua
local id, why, _, _, expires_at = follow(KEYS[1], ARGV[10], true)
if not why then
  return { id, expires_at }
end
return expires_at and now > expires_at + remember_ms and 'absent' or why
