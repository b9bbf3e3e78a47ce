-- map/delete.lua, layout 1
-- Removes entries. Begins with what needs no memory, so that it works when memory is full.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] owner, ARGV[3...] keys
-- Returns how many entries there were that had not ended
-- include entries.lua
purge()
local changes, count = {}, 0
for i = 3, #ARGV do
  local ends = timed > 0 and redis.call('ZSCORE', KEYS[2], ARGV[i])
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then
    changes[#changes + 1] = { key = ARGV[i] }
    count = count + ((not ends or now <= tonumber(ends)) and 1 or 0)
  end
  if ends then
    timed = timed - redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
if #changes > 0 then
  keep_alive()
  announce(ARGV[2], changes)
end
return count
