-- map/read.lua, layout 1
-- Reads entries at one moment, without those that have ended. Meeting one of these removes what ended first.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced ('1' where changes are published), ARGV[2...] keys
-- Returns header and value of each key, false where there is none
-- include entries.lua
local found = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local ended = false
for i, raw in ipairs(found) do
  if raw and not alive(raw) then
    found[i] = false
    ended = true
  end
end
if ended then
  purge()
end
return found
