-- queue/due.lua, layout 1
-- Delayed jobs whose time has come, and when a worker should look again.
-- Defines read_due(), promote_all(due), look_again_ms()
local most_promoted = 128

local function read_due()
  return redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now, 'LIMIT', 0, most_promoted)
end

local function promote_all(due)
  call_many('ZREM', base .. ':delayed', due)
  for _, id in ipairs(due) do
    local job = redis.pcall('HMGET', job_key(id), 'priority', 'group')
    if job.err then
      spoiled(id)
    elseif job[1] then
      put_back(id, 'delayed', job[1], job[2], false)
    end
  end
end

-- Milliseconds until a delayed job falls due, the lease of another worker ends or jobs may be started again; -1 for never.
local function look_again_ms()
  local due = redis.call('ZRANGE', base .. ':delayed', 0, 0, 'WITHSCORES')
  local leases = redis.call('ZRANGE', base .. ':leases', 0, 1, 'WITHSCORES')
  local due_at = tonumber(due[2])
  local ends_at = tonumber(leases[leases[1] == owner and 4 or 2])
  local window_ends_at = window_left() and now + window_left()
  if not due_at and not ends_at and not window_ends_at then
    return -1
  end
  -- Alive includes the last millisecond.
  return math.max(0, math.min(due_at or math.huge, (ends_at or math.huge) + 1, window_ends_at or math.huge) - now)
end
