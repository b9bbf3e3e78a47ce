-- lock/read-write-release.lua, layout 1
-- Ends what a member has of a lock: the lock itself, or its place among those who wait. Those whose turn it is are woken.
-- KEYS[1] lock, KEYS[2] readers, KEYS[3] order, KEYS[4] leases
-- ARGV[1] member, ARGV[2] keepTokenMs, ARGV[3] wakePrefix, ARGV[4] topic
-- Returns 1 when the member held the lock, 0 otherwise
-- include read-write-line.lua
local member = ARGV[1]
local line = { order = KEYS[3], leases = KEYS[4] }
local writes = is_writer(member)
local writer = writer_of(KEYS[1])
local reads_until = tonumber(redis.call('ZSCORE', KEYS[2], member) or 0)
local held = writes and writer == member or not writes and now <= reads_until
leave_line(line, member)
if writes and held then
  redis.call('HDEL', KEYS[1], 'writer', 'ends_at')
  writer = nil
end
if held and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('ZREM', KEYS[2], member)
if not writer then
  wake_next(line, ARGV[3], ARGV[4], redis.call('ZCOUNT', KEYS[2], now, '+inf'), writes)
end
return held and 1 or 0
