-- queue/now.lua, layout 1
-- Reads the clock that dates jobs.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- Returns milliseconds since 1970
-- include keys.lua
return now
