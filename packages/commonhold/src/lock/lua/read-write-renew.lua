-- lock/read-write-renew.lua, layout 1
-- Lets a holder's lease begin anew.
-- KEYS[1] lock, KEYS[2] readers
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] keepTokenMs
-- Returns 1, or 0 when the member does not hold the lock
-- include read-write-line.lua
local lease_ms = tonumber(ARGV[2])
local writes = is_writer(ARGV[1])
local writer = writer_of(KEYS[1])
local reads_until = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0)
if not (writes and writer == ARGV[1] or not writes and now <= reads_until) then
  return 0
end
-- What takes no memory comes first, so that the step also runs when memory is full.
if redis.call('PTTL', KEYS[1]) < lease_ms + tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], lease_ms + tonumber(ARGV[3]))
end
if writes then
  redis.call('HSET', KEYS[1], 'ends_at', now + lease_ms)
  return 1
end
if redis.call('PTTL', KEYS[2]) < lease_ms then
  redis.call('PEXPIRE', KEYS[2], lease_ms)
end
redis.call('ZADD', KEYS[2], now + lease_ms, ARGV[1])
return 1
