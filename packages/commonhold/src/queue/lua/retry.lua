-- queue/retry.lua, layout 1
-- Makes a failed job pending again, with all its attempts.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] id
-- Returns 1, or 0 when it is not a failed job
-- include ../../channel/lua/append.lua
-- include jobs.lua
local id = ARGV[9]
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'priority')
if job[1] ~= 'failed' then
  return 0
end
redis.call('ZREM', dead_key, id)
redis.call('HDEL', key, 'error', 'completed_at', 'started_at', 'worker_id', 'progress', 'deaths')
redis.call('HSET', key, 'status', 'pending', 'attempts', 0)
redis.call('PERSIST', key)
enqueue_again(id, job[2], false)
wake(1)
return 1
