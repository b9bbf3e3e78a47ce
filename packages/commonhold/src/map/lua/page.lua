-- map/page.lua, layout 1
-- Reads a part of all entries, without those that have ended: about 1 MiB at most, whatever the limit.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] cursor, ARGV[3] limit
-- Returns {cursor, version last given, now, {key, header and value, ...}}
-- include entries.lua
purge()
local cursor, left, bytes, flat = ARGV[2], tonumber(ARGV[3]), 0, {}
repeat
  local count = math.min(left, 10)
  local page = redis.call('HSCAN', KEYS[1], cursor, 'COUNT', whole(count))
  for i = 1, #page[2], 2 do
    local key, raw = page[2][i], page[2][i + 1]
    if key ~= '' and alive(raw) then
      flat[#flat + 1] = key
      flat[#flat + 1] = raw
      bytes = bytes + #raw
    end
  end
  cursor, left = page[1], left - count
until cursor == '0' or left == 0 or bytes >= 1048576
return { cursor, redis.call('HGET', KEYS[1], '') or '0', whole(now), flat }
