-- lock/read-write-acquire.lua, layout 1
-- Gives the lock to one that writes, if nobody holds it and nobody came before; or to one that reads, if nobody writes and no
-- writer came before. Asked again by a holder, whose answer was lost, it gives the same token.
-- KEYS[1] lock, KEYS[2] readers, KEYS[3] order, KEYS[4] leases
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] waitMs (0 not to stand in the line), ARGV[4] keepTokenMs
-- Returns {token}, or {'', 1 for the first in line else 0, milliseconds until those who hold it, or the one that stands
-- before, count as abandoned}
-- include read-write-line.lua
local member, lease_ms, wait_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local line = { order = KEYS[3], leases = KEYS[4] }
local writes = is_writer(member)
local writer, ends_at, stored, spoiled = writer_of(KEYS[1])
if spoiled then
  return redis.error_reply('WRONGTYPE the end of the lease, or the token, is not a whole number')
end
local token = tonumber(stored) or 0
local readers = redis.call('ZCOUNT', KEYS[2], now, '+inf')
local reads_until = tonumber(redis.call('ZSCORE', KEYS[2], member) or 0)

if not (writes and writer == member or not writes and now <= reads_until) then
  local wait
  if writes then
    local last = readers > 0 and redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    wait = take_turn(line, member, wait_ms, last and tonumber(last[2]) or ends_at)
  else
    wait = take_shared_turn(line, member, wait_ms, ends_at)
  end
  if wait then
    return { '', wait[1], wait[2] }
  end
  if writes or readers == 0 then
    token = math.max(token + 1, now * 1024)
  end
end
local text = string.format('%.0f', token)
if writes then
  redis.call('HSET', KEYS[1], 'writer', member, 'ends_at', now + lease_ms, 'token', text)
else
  redis.call('HSET', KEYS[1], 'token', text)
  redis.call('ZADD', KEYS[2], now + lease_ms, member)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. now)
  if redis.call('PTTL', KEYS[2]) < lease_ms then
    redis.call('PEXPIRE', KEYS[2], lease_ms)
  end
end
if redis.call('PTTL', KEYS[1]) < lease_ms + tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], lease_ms + tonumber(ARGV[4]))
end
leave_line(line, member)
return { text }
