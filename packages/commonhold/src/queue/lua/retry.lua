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
-- include resend.lua
local id = ARGV[9]

-- Everything is looked at before the first write: Redis does not roll back.
local job = redis.call('HMGET', job_key(id), 'status', 'priority', 'topic', 'group')
check_resend()
if job[1] ~= 'failed' then
  return 0
end
resend(id, line_of(job[2]), job[4], job[3])
wake(1)
return 1
