-- queue/remove.lua, layout 1
-- Removes the record of a job that ended.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] id
-- Returns 1, or 0 when there is no such job or it has not ended
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
-- include resend.lua
local id = ARGV[9]

-- Everything is looked at before the first write: Redis does not roll back.
local job = redis.call('HMGET', job_key(id), 'status', 'topic')
redis.call('ZCARD', base .. ':dead')
if has_index() then
  check_index()
end
if job[2] then
  redis.call('ZCARD', topic_key(job[2]))
end
if job[1] ~= 'completed' and job[1] ~= 'failed' and job[1] ~= 'cancelled' then
  return 0
end
forget(id, job[2])
return 1
