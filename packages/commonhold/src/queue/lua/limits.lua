-- queue/limits.lua, layout 1
-- Bounds of the whole queue: how many jobs run at once, and how many are started in a window of time, which begins with
-- the first of them. Costs nothing where the queue has none.
-- Defines most_in_group, read_limits(), count_capacity(), note_starts(count), window_left()
local given_limits = { string.match(ARGV[16], '^(%d+) (%d+) (%d+) (%d+)$') }
local most_running = tonumber(given_limits[1] or 0)
local most_starts = tonumber(given_limits[2] or 0)
local window_ms = tonumber(given_limits[3] or 0)
local most_in_group = tonumber(given_limits[4] or 0)
local rate_key = base .. ':rate'
local window = { from = now, starts = 0 }

local function count_running()
  local running = 0
  for _, worker in ipairs(redis.call('ZRANGE', base .. ':leases', 0, -1)) do
    running = running + redis.call('ZCARD', held_key(worker))
  end
  return running
end

-- Looks at every key of theirs, and so at its type.
local function read_limits()
  if most_running > 0 then
    count_running()
  end
  if most_starts > 0 then
    local found = redis.call('HMGET', rate_key, 'from', 'starts')
    local from = tonumber(found[1])
    if from and now < from + window_ms then
      window = { from = from, starts = tonumber(found[2]) or 0 }
    end
  end
end

-- How many more jobs may be started now.
local function count_capacity()
  local capacity = math.huge
  if most_running > 0 then
    capacity = most_running - count_running()
  end
  if most_starts > 0 then
    capacity = math.min(capacity, most_starts - window.starts)
  end
  return math.max(0, capacity)
end

local function note_starts(count)
  if count == 0 or most_starts == 0 then
    return
  end
  window.starts = window.starts + count
  redis.call('HSET', rate_key, 'from', string.format('%.0f', window.from), 'starts', window.starts)
  redis.call('PEXPIRE', rate_key, window_ms)
end

-- Milliseconds until jobs may be started again, nil where they may be now.
local function window_left()
  if most_starts > 0 and window.starts >= most_starts then
    return window.from + window_ms - now
  end
end
