-- concurrency/release.lua, layout 1
-- Ends what a member has: a slot, or its place among those who wait. The next in line is woken.
-- KEYS[1] slots, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] wakePrefix, ARGV[3] topic
-- Returns 1 when the member held a slot, 0 otherwise
-- include ../../lock/lua/line.lua
local line = { order = KEYS[2], leases = KEYS[3] }
local ends_at = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
leave_line(line, ARGV[1])
wake_first(line, ARGV[2], ARGV[3])
return (ends_at and now <= tonumber(ends_at)) and 1 or 0
