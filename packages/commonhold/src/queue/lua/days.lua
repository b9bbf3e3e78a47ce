-- queue/days.lua, layout 1
-- Reads what was counted on each of the last UTC days.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] number of days
-- Returns for each day, oldest first, its name, completed, failed, and mean milliseconds ('' where none)
-- include keys.lua
-- include ../../counter/lua/civil.lua
local today = math.floor(now / 86400000)
local reply = {}
for day = today - tonumber(ARGV[9]) + 1, today do
  local name = civil(day)
  local found = redis.call('HMGET', stats_base .. ':daily:' .. name, 'tasks_completed', 'tasks_failed', 'avg_processing_time')
  reply[#reply + 1] = name
  for i = 1, 3 do
    reply[#reply + 1] = found[i] or '0'
  end
end
return reply
