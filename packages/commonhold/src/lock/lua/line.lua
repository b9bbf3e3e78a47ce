-- lock/line.lua, layout 1
-- Those who wait for a turn, first come first served. `line` names two sorted sets: `order` holds them by arrival, `leases`
-- by the time until which each counts as alive; a member is its process's owner, a colon, and an id of its own.
-- Defines take_turn(line, member, wait_ms, busy_until), leave_line(line, member), wake_first(line, wake_prefix, topic)

local function leave_line(line, member)
  redis.call('ZREM', line.order, member)
  redis.call('ZREM', line.leases, member)
end

-- Whoever speaks is alive, however late.
local function drop_dead(line, speaking)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', line.leases, '-inf', '(' .. now)) do
    if member ~= speaking then
      leave_line(line, member)
    end
  end
end

-- A server that evicts keys may have dropped the leases alone: who has none counts as dead.
local function first_of(line)
  local first = redis.call('ZRANGE', line.order, 0, 0)[1]
  while first and not redis.call('ZSCORE', line.leases, first) do
    leave_line(line, first)
    first = redis.call('ZRANGE', line.order, 0, 0)[1]
  end
  return first
end

local function stand_in(line, member, wait_ms)
  if not redis.call('ZSCORE', line.order, member) then
    local last = redis.call('ZREVRANGE', line.order, 0, 0, 'WITHSCORES')
    redis.call('ZADD', line.order, (tonumber(last[2]) or 0) + 1, member)
  end
  redis.call('ZADD', line.leases, now + wait_ms, member)
  for _, key in ipairs({ line.order, line.leases }) do
    if redis.call('PTTL', key) < wait_ms then
      redis.call('PEXPIRE', key, wait_ms)
    end
  end
end

-- Nil when it is the turn of `member`, which is to leave the line once it has written: freeing comes second, so that a
-- server whose memory is full refuses. Otherwise 1 when it is the first in line, else 0, and after how many milliseconds
-- the one they wait for counts as gone; with `wait_ms` above 0 it stands in the line.
local function take_turn(line, member, wait_ms, busy_until)
  drop_dead(line, member)
  local first = first_of(line)
  if not busy_until and (not first or first == member) then
    return nil
  end
  local gone_at = busy_until or tonumber(redis.call('ZSCORE', line.leases, first))
  if wait_ms > 0 then
    stand_in(line, member, wait_ms)
  end
  return { first_of(line) == member and 1 or 0, gone_at - now }
end

-- Wakes the one whose turn it is, and nobody else.
local function wake_first(line, wake_prefix, topic)
  drop_dead(line)
  local first = first_of(line)
  if first then
    local owner, id = string.match(first, '^([^:]*):(.*)$')
    redis.call('PUBLISH', wake_prefix .. owner, topic .. id)
  end
end
