-- queue/counts.lua, layout 1
-- Counts the jobs that have not ended, and those that failed.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- Returns {pending, delayed, processing, failed}
-- include ../../channel/lua/append.lua
-- include jobs.lua
local pending = redis.call('LLEN', base .. ':suspects')
for _, count in ipairs(redis.call('HVALS', waiting_key)) do
  pending = pending + tonumber(count)
end
local processing = 0
for _, owner in ipairs(redis.call('ZRANGE', leases_key, 0, -1)) do
  processing = processing + redis.call('ZCARD', held_key(owner))
end
local failed = redis.call('ZCOUNT', dead_key, now - keep_failed_ms, '+inf')
return { pending, redis.call('ZCARD', delayed_key), processing, failed }
