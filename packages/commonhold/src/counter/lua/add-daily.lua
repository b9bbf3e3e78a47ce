-- counter/add-daily.lua, layout 1
-- Adds to a total and to the count of today. The first add of a day drops the days that are no longer kept.
-- KEYS[1] total, KEYS[2] days
-- ARGV[1] by, ARGV[2] ttlMs ('' without end), ARGV[3] keepMs
-- Returns the new total, or false when a sum would not be exact and nothing was added
-- include integer.lua
-- include civil.lua
local dayMs = 86400000
local day = math.floor(now / dayMs)
local today = civil(day)
local stored = redis.call('GET', KEYS[1])
local counted = redis.call('HGET', KEYS[2], today)
local total = integer(stored)
local count = integer(counted)
if not total or not count then
  return redis.error_reply('WRONGTYPE the total or the count of a day is not a whole number')
end
local by = tonumber(ARGV[1])
if not exact(total + by) or not exact(count + by) then
  return false
end
if not counted then
  local oldest = civil(math.ceil((now - tonumber(ARGV[3])) / dayMs) - 1)
  for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
    if name < oldest then
      redis.call('HDEL', KEYS[2], name)
    end
  end
end
redis.call('HINCRBY', KEYS[2], today, ARGV[1])
if not counted then
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', (day + 1) * dayMs + tonumber(ARGV[3]) - now))
end
if stored or ARGV[2] == '' then
  return redis.call('INCRBY', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return by
