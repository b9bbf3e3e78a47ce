-- queue/finish.lua, layout 1
-- Hands in the jobs that ended. What another program wrote into a record does not make the step fail half-way.
-- Defines done, spoiled(id), fail(id, topic, why), put_back(id, from, priority, group, first), check_ends_given(), finish_all()

-- What this step changed, for its later parts.
local done = { completed = 0, failed = 0, processing_ms = 0, enqueued = false, suspected = 0 }
local released = {}

-- The record of this job was replaced by another program. The job counts as failed; what stands there is left alone.
local function spoiled(id)
  list_failed(id)
  drop_from_index(id)
  tell_awaiting(id)
  done.failed = done.failed + 1
end

local function complete(id, topic, started_at, result)
  done.completed = done.completed + 1
  done.processing_ms = done.processing_ms + math.max(0, now - (tonumber(started_at) or now))
  end_job(id, 'processing', 'completed', topic, 'result', result)
  announce('completed', id, topic, 'completed', 1)
end

local function fail(id, topic, why)
  done.failed = done.failed + 1
  end_job(id, 'processing', 'failed', topic, 'error', why)
  announce('failed', id, topic, 'failed', 0)
end

local function put_back(id, from, priority, group, first)
  move_in_index(id, from, 'pending')
  redis.call('HSET', job_key(id), 'status', 'pending')
  enqueue_again(id, line_of(priority), group, first)
  done.enqueued = true
end

local function delay(id, delay_ms)
  move_in_index(id, 'processing', 'delayed')
  redis.call('HSET', job_key(id), 'status', 'delayed')
  redis.call('ZADD', base .. ':delayed', now + delay_ms, id)
end

-- Returns whether this attempt was the worker's, and so its to end.
local function finish(id, attempt, kind, payload, delay_ms)
  local key = job_key(id)
  local job = redis.pcall('HMGET', key, 'status', 'attempts', 'owner', 'priority', 'started_at', 'topic', 'group')
  if job.err then
    if redis.call('ZREM', held_key(owner), id) == 1 then
      leave_group(id)
      spoiled(id)
    end
    return false
  end
  if job[1] ~= 'processing' or job[2] ~= attempt or job[3] ~= owner then
    return false
  end
  released[#released + 1] = id
  leave_group(id)
  if kind == 'complete' then
    complete(id, job[6], job[5], payload)
  elseif kind == 'fail' then
    fail(id, job[6], payload)
  elseif kind == 'retry' then
    redis.call('HDEL', key, 'owner', 'progress')
    redis.call('HSET', key, 'error', payload)
    delay(id, delay_ms)
  else
    redis.call('HDEL', key, 'owner', 'progress', 'started_at', 'worker_id')
    redis.call('HSET', key, 'attempts', attempt - 1)
    if delay_ms > 0 then
      delay(id, delay_ms)
    else
      put_back(id, 'processing', job[4], job[7], true)
    end
  end
  return true
end

-- Returns an error for arguments that would fail half-way, and whether a job goes back into a line.
local function check_ends_given()
  local returns = false
  for at = ends_at, #ARGV, 5 do
    if not string.find(ARGV[at + 4] or '', '^%d+$') then
      return redis.error_reply('ERR an ended job is id, attempt, kind, payload and a whole number of milliseconds')
    end
    returns = returns or ARGV[at + 2] == 'return'
  end
  return nil, returns
end

-- Returns the places of the ends that were refused, from 1.
local function finish_all()
  local refused = {}
  for at = ends_at, #ARGV, 5 do
    if not finish(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])) then
      refused[#refused + 1] = (at - ends_at) / 5 + 1
    end
  end
  call_many('ZREM', held_key(owner), released)
  return refused
end
