-- queue/alone.lua, layout 1
-- Jobs whose workers died twice. Each runs with nothing beside it, so that it can harm no other.
-- Defines read_suspects(), claim_alone(), must_drain(left)

-- How many there are. Looks at every key of theirs, and so at its type.
local function read_suspects()
  redis.call('GET', base .. ':drain')
  return redis.call('LLEN', base .. ':suspects')
end

-- Takes one such job.
local function claim_alone()
  while claimed.alone == 0 do
    local id = redis.call('LPOP', base .. ':suspects')
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
