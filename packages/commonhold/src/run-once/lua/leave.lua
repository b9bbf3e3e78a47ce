-- run-once/leave.lua, layout 1
-- Ends what a member has of a run without a result: the right to run, or its place among those who wait. The next in line
-- is woken.
-- KEYS[1] run, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] keepMs, ARGV[3] wakePrefix, ARGV[4] topic
-- Returns 1 when the member had the right to run, 0 otherwise
-- include ../../lock/lua/line.lua
local member = ARGV[1]
local line = { order = KEYS[2], leases = KEYS[3] }
local run = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'finished_at')
local alive = run[1] and now <= (tonumber(run[2]) or 0)
local had = run[1] == member and not run[3]
leave_line(line, member)
if had then
  redis.call('HDEL', KEYS[1], 'holder', 'ends_at', 'started_at')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if not run[3] and (had or not alive) then
  wake_first(line, ARGV[3], ARGV[4])
end
return (had and alive) and 1 or 0
