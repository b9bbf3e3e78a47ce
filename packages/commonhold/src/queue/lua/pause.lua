-- queue/pause.lua, layout 1
-- Stops workers from taking jobs, or lets them again.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] paused (1 or 0)
-- Returns 1
-- include ../../channel/lua/append.lua
-- include jobs.lua
if ARGV[9] == '1' then
  redis.call('SET', base .. ':paused', '1')
else
  redis.call('DEL', base .. ':paused')
  wake(redis.call('ZCARD', idle_key))
end
return 1
