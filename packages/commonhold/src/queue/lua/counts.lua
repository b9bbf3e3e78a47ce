-- queue/counts.lua, layout 1
-- Counts the jobs that have not ended, and those that failed.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- Returns {pending, delayed, processing, failed}
-- include keys.lua
local pending = redis.call('LLEN', base .. ':suspects')
for _, count in ipairs(redis.call('HVALS', base .. ':waiting')) do
  pending = pending + tonumber(count)
end
local processing = 0
for _, worker in ipairs(redis.call('ZRANGE', base .. ':leases', 0, -1)) do
  processing = processing + redis.call('ZCARD', held_key(worker))
end
local failed = redis.call('ZCOUNT', base .. ':dead', now - keep_failed_ms, '+inf')
return { pending, redis.call('ZCARD', base .. ':delayed'), processing, failed }
