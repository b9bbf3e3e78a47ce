-- session/create.lua, layout 1
-- Makes a session under a fresh id and puts it into its user's index.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound)
-- ARGV[8] id, ARGV[9] user ('' for none), ARGV[10...] fields, each as name and value
-- Returns the time of creation
-- include record.lua
-- include index.lua
local user = ARGV[9]
local index = user ~= '' and index_of(user)
-- Fails for a key of another type before anything is written.
if index then
  redis.call('ZCARD', index)
end
local ends_at = now + tonumber(ARGV[3])
local expires_at = math.min(now + idle_ms, ends_at)
local header = { 'v', 1, 'c', now, 'l', now, 'a', ends_at, 's', size_with({}, 10) }
if index then
  header[#header + 1] = 'u'
  header[#header + 1] = user
end
write(KEYS[1], header, 10)
live_until(KEYS[1], {}, expires_at)
if index then
  admit(index, ARGV[8], expires_at, ends_at)
end
return now
