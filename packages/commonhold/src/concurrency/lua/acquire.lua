-- concurrency/acquire.lua, layout 1
-- Gives a slot, if one is free and nobody came before. Asked again by its holder, whose answer was lost, it gives the same.
-- KEYS[1] slots, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] limit, ARGV[3] leaseMs, ARGV[4] waitMs (0 not to stand in the line), ARGV[5] wakePrefix,
-- ARGV[6] topic
-- Returns {}, or {1 for the first in line else 0, milliseconds until a holder or the first in line counts as abandoned}
-- include ../../lock/lua/line.lua
local member, limit, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local line = { order = KEYS[2], leases = KEYS[3] }
-- The slots of the dead return.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)

if not redis.call('ZSCORE', KEYS[1], member) then
  local used = redis.call('ZCARD', KEYS[1])
  local busy_until
  if used >= limit then
    local last = redis.call('ZRANGE', KEYS[1], used - limit, used - limit, 'WITHSCORES')
    busy_until = tonumber(last[2])
  end
  local wait = take_turn(line, member, tonumber(ARGV[4]), busy_until)
  if wait then
    return wait
  end
end
redis.call('ZADD', KEYS[1], now + lease_ms, member)
if redis.call('PTTL', KEYS[1]) < lease_ms then
  redis.call('PEXPIRE', KEYS[1], lease_ms)
end
leave_line(line, member)
-- Of several slots that came free at once each wakes one.
if redis.call('ZCARD', KEYS[1]) < limit then
  wake_first(line, ARGV[5], ARGV[6])
end
return {}
