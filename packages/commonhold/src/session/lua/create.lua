-- session/create.lua, layout 1
-- Makes a session under a fresh id and puts it into its user's index.
-- KEYS[1] session
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] id, ARGV[11] user ('' for none), ARGV[12] device ('' for none), ARGV[13...] fields, each as name and value
-- Returns the time of creation, or 'full'
-- include record.lua
-- include index.lua
local user = ARGV[11]
local index = user ~= '' and index_of(user)
if index and is_full(index) then
  return 'full'
end
local ends_at = now + tonumber(ARGV[3])
local expires_at = math.min(now + idle_ms, ends_at)
local header = { 'v', 1, 'c', now, 'l', now, 'a', ends_at, 's', size_with({}, 13) }
if index then
  header[#header + 1] = 'u'
  header[#header + 1] = user
end
if ARGV[12] ~= '' then
  header[#header + 1] = 'e'
  header[#header + 1] = ARGV[12]
end
write(KEYS[1], header, 13)
live_until(KEYS[1], {}, expires_at)
if index then
  admit(index, ARGV[10], expires_at, ends_at)
end
return now
