-- queue/resend.lua, layout 1
-- Sends failed jobs again, and forgets jobs that ended.
-- Defines check_resend(), resend(id, line, group, topic), forget(id, topic)

-- Looks at every key that a job may go back to, and so at its type.
local function check_resend()
  redis.call('ZCARD', base .. ':dead')
  redis.call('ZCARD', base .. ':idle')
  redis.call('HLEN', base .. ':open')
  if has_groups() then
    check_rings()
  end
  if has_index() then
    check_index()
  end
  for priority = 0, 10 do
    redis.call('LLEN', base .. ':again:' .. priority)
  end
end

-- Makes a failed job pending again, with all its attempts.
local function resend(id, line, group, topic)
  local key = job_key(id)
  redis.call('ZREM', base .. ':dead', id)
  redis.call('HDEL', key, 'error', 'completed_at', 'started_at', 'worker_id', 'owner', 'progress', 'deaths')
  redis.call('HSET', key, 'status', 'pending', 'attempts', 0)
  redis.call('PERSIST', key)
  move_in_index(id, 'failed', 'pending')
  if topic then
    join_topic(topic)
  end
  enqueue_again(id, line, group, false)
end

local function forget(id, topic)
  redis.call('DEL', job_key(id))
  drop_from_index(id)
  redis.call('ZREM', base .. ':dead', id)
  if topic then
    -- What another program put there does not keep jobs from going.
    redis.pcall('ZREM', topic_key(topic), id)
  end
end
