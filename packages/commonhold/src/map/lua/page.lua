-- map/page.lua, layout 1
-- Reads a part of all entries, without those that have ended.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] cursor, ARGV[3] limit
-- Returns {cursor, version last given, now, {key, header and value, ...}}
-- include entries.lua
purge()
local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local flat = {}
for i = 1, #page[2], 2 do
  local key, raw = page[2][i], page[2][i + 1]
  if key ~= '' and alive(raw) then
    flat[#flat + 1] = key
    flat[#flat + 1] = raw
  end
end
return { page[1], redis.call('HGET', KEYS[1], '') or '0', whole(now), flat }
