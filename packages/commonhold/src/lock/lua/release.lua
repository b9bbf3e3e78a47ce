-- lock/release.lua, layout 1
-- Ends what a member has of a lock: the lock itself, or its place among those who wait. The next in line is woken.
-- KEYS[1] lock, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] keepTokenMs, ARGV[3] wakePrefix, ARGV[4] topic
-- Returns 1 when the member held the lock, 0 otherwise
-- include line.lua
local member = ARGV[1]
local line = { order = KEYS[2], leases = KEYS[3] }
local held = redis.call('HMGET', KEYS[1], 'holder', 'ends_at')
local alive = held[1] and now <= (tonumber(held[2]) or 0)
leave_line(line, member)
if held[1] == member then
  redis.call('HDEL', KEYS[1], 'holder', 'ends_at')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if not alive or held[1] == member then
  wake_first(line, ARGV[3], ARGV[4])
end
return (alive and held[1] == member) and 1 or 0
