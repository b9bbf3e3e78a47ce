-- queue/record.lua, layout 1
-- The end of a job: its record, the index of its topic, the list of failed jobs, and what is counted.
-- Defines join_topic(topic), check_totals(), list_failed(id), end_job(id, from, status, topic, field, payload), count_ends(completed, failed, processing_ms)
-- include ../../counter/lua/civil.lua
-- include ../../counter/lua/integer.lua
-- include awaited.lua

-- The index of a topic stays while one of its jobs has not ended, and then for as long as a record may.
local function join_topic(topic)
  if redis.call('HINCRBY', base .. ':open', topic, 1) == 1 then
    redis.call('PERSIST', topic_key(topic))
  end
end

local function leave_topic(topic)
  if redis.call('HINCRBY', base .. ':open', topic, -1) <= 0 then
    redis.call('HDEL', base .. ':open', topic)
    redis.call('PEXPIRE', topic_key(topic), math.max(keep_completed_ms, keep_failed_ms))
  end
end

local function today_key()
  return stats_base .. ':daily:' .. civil(math.floor(now / 86400000))
end

-- Reads what the end of a job is written to, so that a key of another type fails the step before its first write.
-- Returns an error where a total cannot be added to.
local function check_totals()
  redis.call('ZCARD', base .. ':dead')
  redis.call('HLEN', base .. ':open')
  local counts = redis.call('HMGET', today_key(), 'tasks_completed', 'tasks_failed', 'processing_ms')
  counts[4] = redis.call('GET', stats_base .. ':tasks:completed')
  counts[5] = redis.call('GET', stats_base .. ':tasks:failed')
  for i = 1, 5 do
    if not integer(counts[i]) then
      return redis.error_reply('WRONGTYPE a total of the queue is not a whole number')
    end
  end
end

local function list_failed(id)
  redis.call('ZADD', base .. ':dead', now, id)
  redis.call('ZREMRANGEBYSCORE', base .. ':dead', '-inf', '(' .. now - keep_failed_ms)
  redis.call('PEXPIRE', base .. ':dead', keep_failed_ms)
end

-- Writes the end of a job into its record, which then stays for as long as the queue keeps such records.
local function end_job(id, from, status, topic, field, payload)
  local key = job_key(id)
  local keep_ms = keep_completed_ms
  if status == 'failed' then
    keep_ms = keep_failed_ms
    list_failed(id)
  end
  if topic then
    leave_topic(topic)
  end
  tell_awaiting(id)
  if keep_ms == 0 then
    redis.call('DEL', key)
    drop_from_index(id)
    return
  end
  move_in_index(id, from, status)
  if payload and payload ~= '' then
    redis.call('HSET', key, 'status', status, 'completed_at', now, field, payload)
  else
    redis.call('HSET', key, 'status', status, 'completed_at', now)
  end
  redis.call('PEXPIRE', key, keep_ms)
end

-- Adds what one step ended to the totals and to the day.
local function count_ends(completed, failed, processing_ms)
  if completed == 0 and failed == 0 then
    return
  end
  local day_key = today_key()
  if completed > 0 then
    redis.call('INCRBY', stats_base .. ':tasks:completed', completed)
    local count = redis.call('HINCRBY', day_key, 'tasks_completed', completed)
    local sum = redis.call('HINCRBY', day_key, 'processing_ms', processing_ms)
    redis.call('HSET', day_key, 'avg_processing_time', math.floor(sum / count + 0.5))
  end
  if failed > 0 then
    redis.call('INCRBY', stats_base .. ':tasks:failed', failed)
    redis.call('HINCRBY', day_key, 'tasks_failed', failed)
  end
  redis.call('PEXPIRE', day_key, 34560000000)
end
