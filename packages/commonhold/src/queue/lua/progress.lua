-- queue/progress.lua, layout 1
-- Notes how far a running job is and announces it.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] owner, ARGV[10] id, ARGV[11] attempt, ARGV[12] progress
-- Returns 1, or 0 when it is not this attempt of this owner any more
-- include ../../channel/lua/append.lua
-- include jobs.lua
local key = job_key(ARGV[10])
local job = redis.call('HMGET', key, 'status', 'attempts', 'owner', 'topic')
if job[1] ~= 'processing' or job[2] ~= ARGV[11] or job[3] ~= ARGV[9] then
  return 0
end
redis.call('HSET', key, 'progress', ARGV[12])
announce('progress', ARGV[10], job[4] or nil, 'processing', tonumber(ARGV[12]), now)
return 1
