-- queue/alone.lua, layout 1
-- Jobs whose workers died twice. Each runs with nothing beside it, so that it can harm no other.
-- Defines count_suspects(), count_runnable(suspects), claim_alone(), must_drain(left)
local suspects_key = base .. ':suspects'
-- Ids of those that may run now, where some may not.
local runnable

-- How many there are. Looks at every key of theirs, and so at its type.
local function count_suspects()
  redis.call('GET', base .. ':drain')
  return redis.call('LLEN', suspects_key)
end

-- How many of them may run now: all but those whose groups run as many jobs as they may.
local function count_runnable(suspects)
  if suspects == 0 or most_in_group == 0 or not has_groups() then
    return suspects
  end
  runnable = {}
  held_back = {}
  for _, id in ipairs(redis.call('LRANGE', suspects_key, 0, -1)) do
    local group = redis.pcall('HGET', job_key(id), 'group')
    if type(group) == 'string' then
      held_back[group] = true
    end
    if type(group) ~= 'string' or room_in_group(group) > 0 then
      runnable[#runnable + 1] = id
    end
  end
  return #runnable
end

local function next_suspect()
  if not runnable then
    return redis.call('LPOP', suspects_key)
  end
  local id = table.remove(runnable, 1)
  return id and redis.call('LREM', suspects_key, 1, id) == 1 and id
end

-- Takes one such job.
local function claim_alone()
  while claimed.alone == 0 do
    local id = next_suspect()
    if not id then
      return
    end
    claimed.alone = start_recorded(id) and 1 or 0
  end
end

-- Whether this busy worker is the one that takes nothing until it is free for them. One at a time: if all of them
-- waited, a job that runs for hours would hold up the queue.
local function must_drain(left)
  if left == 0 or idle then
    return false
  end
  local drain_key = base .. ':drain'
  local drainer = redis.call('GET', drain_key)
  local lease = drainer and drainer ~= owner and redis.call('ZSCORE', base .. ':leases', drainer)
  if lease and tonumber(lease) >= now then
    return false
  end
  redis.call('SET', drain_key, owner, 'PX', 600000)
  return true
end
