-- queue/retry.lua, layout 1
-- Makes a failed job pending again, with all its attempts.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] id
-- Returns 1, or 0 when it is not a failed job
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
local id = ARGV[9]
local key = job_key(id)

-- Everything is looked at before the first write: Redis does not roll back.
local job = redis.call('HMGET', key, 'status', 'priority', 'topic')
local line = line_of(job[2])
redis.call('ZCARD', base .. ':dead')
redis.call('ZCARD', base .. ':idle')
redis.call('HLEN', base .. ':open')
redis.call('HLEN', base .. ':waiting')
redis.call('LLEN', base .. ':again:' .. line)
if job[1] ~= 'failed' then
  return 0
end

redis.call('ZREM', base .. ':dead', id)
redis.call('HDEL', key, 'error', 'completed_at', 'started_at', 'worker_id', 'owner', 'progress', 'deaths')
redis.call('HSET', key, 'status', 'pending', 'attempts', 0)
redis.call('PERSIST', key)
if job[3] then
  join_topic(job[3])
end
enqueue_again(id, line, false)
wake(1)
return 1
