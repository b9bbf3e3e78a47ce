-- queue/progress.lua, layout 1
-- Notes how far a running job is and announces it. It never goes back within an attempt.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] owner, ARGV[10] id, ARGV[11] attempt, ARGV[12] progress
-- Returns 1, or 0 when it is not this attempt of this owner any more
-- include keys.lua
-- include notice.lua
local id = ARGV[10]
local progress = tonumber(ARGV[12])
local job = redis.call('HMGET', job_key(id), 'status', 'attempts', 'owner', 'topic', 'progress')
if job[1] ~= 'processing' or job[2] ~= ARGV[11] or job[3] ~= ARGV[9] then
  return 0
end
-- A note that was held up on its way may come after a later one.
if progress > (tonumber(job[5]) or -1) then
  redis.call('HSET', job_key(id), 'progress', ARGV[12])
  announce('progress', id, job[4], 'processing', progress)
end
return 1
