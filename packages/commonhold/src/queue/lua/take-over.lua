-- queue/take-over.lua, layout 1
-- Takes over what dead workers held: it goes first in line, after two deaths a job runs alone, after three it fails.
-- Defines deaths_until_alone, read_dead(), take_over_all(dead)
local deaths_until_alone = 2
local deaths_until_failed = 3

-- The workers other than this one whose lease has ended, and the jobs of each.
local function read_dead()
  local dead = {}
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', base .. ':leases', '-inf', '(' .. now)) do
    if worker ~= owner then
      dead[#dead + 1] = { worker = worker, ids = redis.call('ZRANGE', held_key(worker), 0, -1) }
    end
  end
  return dead
end

local function lose(id, worker)
  local key = job_key(id)
  leave_group(id)
  local job = redis.pcall('HMGET', key, 'status', 'owner', 'priority', 'topic', 'deaths', 'group')
  if job.err then
    return spoiled(id)
  end
  if job[1] ~= 'processing' or job[2] ~= worker then
    return
  end
  local deaths = (tonumber(job[5]) or 0) + 1
  redis.call('HSET', key, 'deaths', deaths)
  if deaths >= deaths_until_failed then
    fail(id, job[4], 'Its worker died ' .. deaths .. ' times while running it')
    return
  end
  redis.call('HDEL', key, 'owner', 'progress')
  if deaths < deaths_until_alone then
    put_back(id, 'processing', job[3], job[6], true)
    return
  end
  redis.call('HSET', key, 'status', 'pending')
  move_in_index(id, 'processing', 'pending')
  redis.call('LPUSH', base .. ':suspects', id)
  done.suspected = done.suspected + 1
end

-- Last ones first, so that the first stands in front.
local function take_over_all(dead)
  for _, found in ipairs(dead) do
    for i = #found.ids, 1, -1 do
      lose(found.ids[i], found.worker)
    end
    redis.call('DEL', held_key(found.worker))
    redis.call('ZREM', base .. ':leases', found.worker)
  end
end
