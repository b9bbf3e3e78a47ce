-- queue/cancel.lua, layout 1
-- Ends a job that has not ended. Whoever runs it is told to look.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] id, ARGV[10] heldTopic
-- Returns the status found, or false when there is no such job
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include place.lua
-- include notice.lua
-- include record.lua
local id = ARGV[9]
local key = job_key(id)

-- Everything is looked at before the first write: Redis does not roll back.
local job = redis.call('HMGET', key, 'status', 'owner', 'priority', 'topic', 'group')
local status, worker, topic, group = job[1], job[2], job[4], job[5]
local line, created_at, options, data = line_of(job[3])
local has_record = status and true
if not has_record then
  status = 'pending'
  line, created_at, options, data, group = find_compact(id)
end
if not line then
  return false
end
if status ~= 'pending' and status ~= 'delayed' and status ~= 'processing' then
  return status
end
redis.call('HLEN', base .. ':open')
redis.call('ZCARD', base .. ':delayed')
redis.call('LLEN', base .. ':suspects')
if has_groups() then
  check_rings()
  redis.call('ZCARD', base .. ':idle')
end
if has_index() then
  check_index()
end
if group then
  redis.call('LLEN', base .. ':again:' .. group_line(line, group))
  redis.call('HLEN', base .. ':gone:' .. group_line(line, group))
end
redis.call('HLEN', base .. ':current')
redis.call('HLEN', base .. ':gone:' .. line)
redis.call('LLEN', base .. ':again:' .. line)
redis.call('XLEN', base .. ':stream:' .. line)
if status == 'processing' then
  redis.call('ZCARD', held_key(worker))
end

-- The first write frees, so that the step also runs when memory is full.
redis.call('ZREM', base .. ':delayed', id)
if status == 'processing' then
  redis.call('ZREM', held_key(worker), id)
  redis.call('PUBLISH', wake_channel(worker), ARGV[10])
  if leave_group(id) then
    wake(1)
  end
elseif status == 'pending' and redis.call('LREM', base .. ':suspects', 1, id) == 1 then
  -- Others of its group stood back for it.
  wake(group and 1 or 0)
elseif status == 'pending' and group then
  withdraw(id, line, group, has_record)
elseif status == 'pending' then
  if redis.call('LREM', base .. ':again:' .. line, 1, id) == 0 then
    -- The reference stays in the stream, and is marked.
    redis.call('HINCRBY', base .. ':gone:' .. line, id, 1)
  end
  add_to_waiting(line, -1)
end
if not has_record then
  redis.call('HSET', key, 'priority', line, 'created_at', created_at, 'attempts', 0, 'options', options, 'data', data)
  if group then
    redis.call('HSET', key, 'group', group)
  end
end
end_job(id, status, 'cancelled', topic)
announce('cancelled', id, topic, 'cancelled', 0)
return status
