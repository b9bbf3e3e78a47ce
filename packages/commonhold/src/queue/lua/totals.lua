-- queue/totals.lua, layout 1
-- Reads how many jobs were ever added, completed and failed.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- Returns {total, completed, failed} as texts
-- include keys.lua
-- include ../../counter/lua/integer.lua
local totals = {}
for i, name in ipairs({ 'total', 'completed', 'failed' }) do
  totals[i] = redis.call('GET', stats_base .. ':tasks:' .. name) or '0'
  if not integer(totals[i]) then
    return redis.error_reply('WRONGTYPE a total of the queue is not a whole number')
  end
end
return totals
