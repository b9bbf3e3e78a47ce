-- queue/cancel.lua, layout 1
-- Ends a job that has not ended. Whoever runs it is told to look.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] id, ARGV[10] heldTopic
-- Returns the status found, or false when there is no such job
-- include ../../channel/lua/append.lua
-- include jobs.lua
local id = ARGV[9]
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'owner', 'priority', 'topic')
local status = job[1]
if not status then
  local priority, entry_id, index = string.match(id, '^(%d+)%-(%d+%-%d+)%-(%d+)$')
  local entry = priority and redis.call('XRANGE', base .. ':stream:' .. priority, entry_id, entry_id)[1]
  local item = entry and entry[1] == entry_id and entry[2][1] ~= '@' and entry[2][2 * tonumber(index) + 2]
  if not item then
    return false
  end
  local first = redis.call('XRANGE', base .. ':stream:' .. priority, '-', '+', 'COUNT', 1)[1]
  if first[1] == entry_id and tonumber(index) < tonumber(redis.call('HGET', base .. ':current', priority) or '0') then
    return false
  end
  if redis.call('SADD', base .. ':gone:' .. priority, id) == 0 then
    return false
  end
  local cut = string.find(item, '\n', 1, true)
  redis.call('HSET', key, 'priority', priority, 'created_at', (string.match(entry_id, '^%d+')), 'attempts', 0,
    'options', string.sub(item, 1, cut - 1), 'data', string.sub(item, cut + 1))
  add_to_waiting(priority, -1)
  status = 'pending'
elseif status == 'pending' then
  if redis.call('LREM', base .. ':suspects', 1, id) == 0 then
    add_to_waiting(job[3], -1)
  end
elseif status == 'delayed' then
  redis.call('ZREM', delayed_key, id)
elseif status == 'processing' then
  redis.call('ZREM', held_key(job[2]), id)
  redis.call('PUBLISH', wake_channel(job[2]), ARGV[10])
else
  return status
end
end_job(id, 'cancelled', nil, nil, now)
announce('cancelled', id, job[4] or nil, 'cancelled', 0, now)
return status
