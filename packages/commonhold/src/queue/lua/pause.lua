-- queue/pause.lua, layout 1
-- Stops workers from taking jobs, or jobs from being added, or lets them again.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] what (taking or adding), ARGV[10] paused (1 or 0)
-- Returns 1
-- include keys.lua
-- include wake.lua
local waiting_key = base .. ':waiting'
if ARGV[9] == 'adding' then
  -- The first write frees, so that the step also runs when memory is full.
  redis.call('HDEL', waiting_key, 'closed')
  if ARGV[10] == '1' then
    redis.call('HSET', waiting_key, 'closed', 0)
  end
  return 1
end
local waiting = 0
for _, count in ipairs(redis.call('HVALS', waiting_key)) do
  waiting = waiting + tonumber(count)
end
waiting = waiting + redis.call('LLEN', base .. ':suspects')
redis.call('ZCARD', base .. ':idle')
-- The first write frees, so that the step also runs when memory is full.
redis.call('DEL', base .. ':paused')
if ARGV[10] == '1' then
  redis.call('SET', base .. ':paused', '1')
else
  wake(waiting)
end
return 1
