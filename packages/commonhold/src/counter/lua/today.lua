-- counter/today.lua, layout 1
-- The count of today among the counts of days. Uses integer.lua.
-- Defines read_today(key), count_today(key, today, by, keep_ms)
-- include civil.lua
local day_ms = 86400000

-- Its `count` is nil for what is no count.
local function read_today(key)
  local name = civil(math.floor(now / day_ms))
  local stored = redis.call('HGET', key, name)
  return { name = name, stored = stored, count = integer(stored) }
end

-- The first add of a day drops the days that are no longer kept, and decides when all of them end.
local function count_today(key, today, by, keep_ms)
  if today.stored then
    redis.call('HINCRBY', key, today.name, by)
    return
  end
  local oldest = civil(math.ceil((now - tonumber(keep_ms)) / day_ms) - 1)
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if name < oldest then
      redis.call('HDEL', key, name)
    end
  end
  redis.call('HINCRBY', key, today.name, by)
  local ends_at = (math.floor(now / day_ms) + 1) * day_ms + tonumber(keep_ms)
  redis.call('PEXPIRE', key, string.format('%.0f', ends_at - now))
end
