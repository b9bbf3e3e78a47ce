-- queue/group.lua, layout 1
-- Groups of one priority: each has a line of its own, a list of jobs that wait again and behind it one of fresh ones. Groups
-- that have a job to give take turns in a ring, a list of their names. One more member of the ring, '', is the line of the
-- jobs without a group. In a line of fresh jobs stands a number where there is no record yet, else `@` and an id. A group that runs as many jobs as it may is parked until one of them ends. A cancelled job leaves
-- its place in the list, so that a line is empty only where its group is neither in the ring nor parked.
-- Defines group_line(priority, group), ring_key(priority), check_rings(), join_ring(priority, group), push_to_group(id, priority, group, list, first), park(priority, group), unpark(group), note_running(id, group), leave_group(id), withdraw(id, priority, group, has_record)
local parked_key = base .. ':parked'
local running_key = base .. ':running'
local grouped_key = base .. ':grouped'

local function group_line(priority, group)
  return priority .. ':' .. encode_part(group)
end

local function ring_key(priority)
  return base .. ':ring:' .. priority
end

-- Looks at every key that a release may write to, and so at its type.
local function check_rings()
  for _, key in ipairs({ parked_key, running_key, grouped_key, compact_key }) do
    redis.call('HLEN', key)
  end
  for priority = 0, 10 do
    redis.call('LLEN', ring_key(priority))
  end
end

local function join_ring(priority, group)
  if redis.call('RPUSH', ring_key(priority), group) == 1 then
    redis.call('RPUSH', ring_key(priority), '')
  end
end

-- Puts a job, or a reference to a fresh one, into its group's line; returns whether it could. What another program put there must not lose the job.
local function push_to_group(id, priority, group, list, first)
  local line = group_line(priority, group)
  local other = list == 'again' and 'fresh' or 'again'
  local length = redis.pcall(first and 'LPUSH' or 'RPUSH', base .. ':' .. list .. ':' .. line, id)
  if type(length) ~= 'number' then
    return false
  end
  if not has_groups() then
    uses_groups = true
    redis.call('HSET', base .. ':waiting', 'grouped', 0)
  end
  redis.call('HINCRBY', base .. ':waiting', 'g' .. priority, 1)
  if length == 1 and redis.call('EXISTS', base .. ':' .. other .. ':' .. line) == 0 then
    join_ring(priority, group)
  end
  return true
end

-- Takes a group, which is not in the ring any more, out of the round until one of its jobs ends.
local function park(priority, group)
  redis.call('HSET', parked_key, group, (redis.call('HGET', parked_key, group) or '') .. priority .. ' ')
end

-- Returns whether there was anything to come back.
local function unpark(group)
  local priorities = redis.call('HGET', parked_key, group)
  if not priorities then
    return false
  end
  redis.call('HDEL', parked_key, group)
  for priority in string.gmatch(priorities, '%d+') do
    join_ring(priority, group)
  end
  return true
end

local function note_running(id, group)
  redis.call('HSET', grouped_key, id, group)
  redis.call('HINCRBY', running_key, group, 1)
end

-- Says that a job runs no more. Its group is known here and not from its record, which another program may have replaced.
-- Returns whether its group may run again.
local function leave_group(id)
  local group = has_groups() and redis.call('HGET', grouped_key, id)
  if not group then
    return false
  end
  redis.call('HDEL', grouped_key, id)
  if redis.call('HINCRBY', running_key, group, -1) <= 0 then
    redis.call('HDEL', running_key, group)
  end
  return unpark(group)
end

-- Leaves the place of a cancelled job empty, or marks it. What has no record is found no more at its place.
local function withdraw(id, priority, group, has_record)
  local line = group_line(priority, group)
  local place = redis.call('LPOS', base .. ':again:' .. line, id)
  if not has_record then
    redis.call('HDEL', compact_key, string.match(id, '%d+$'))
  elseif place then
    redis.call('LSET', base .. ':again:' .. line, place, '')
  else
    redis.call('HINCRBY', base .. ':gone:' .. line, id, 1)
  end
  redis.call('HINCRBY', base .. ':waiting', 'g' .. priority, -1)
end
