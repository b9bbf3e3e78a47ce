-- presence/beat.lua, layout 1
-- Renews a seat and says which of its members were active; removes those that were silent too long, and those of the dead.
-- KEYS[1] presence
-- ARGV[1] prefix of the documented names ('' for none), ARGV[2] silenceMs, ARGV[3] leaseMs, ARGV[4] seat
-- ARGV[5] whether to bury dead seats (1 or 0), ARGV[6...] active members, each as id, number and idleMs
-- Returns {kept, more, nextEndMs or -1, gone, superseded, ended}: whether the seat still held its members, whether there is
-- more to remove, when the next lease of another seat ends, the numbers of the active members that were not there, of those
-- whose id another stay has, and of the members that were silent too long
-- include space.lua
-- include member.lua
local room = 100
local gone, superseded, ended = {}, {}, {}

-- Frees nothing, but comes first: the rest then also runs when memory is full.
local lease = tonumber(redis.call('ZSCORE', leases, seat) or 0)
redis.call('ZREM', leases, '')
held[seat] = true

for i = 6, #ARGV, 3 do
  local member = find(ARGV[i])
  local number = ARGV[i + 1]
  local mine = member and member.seat == seat and member.number == number
  local active_at = now - tonumber(ARGV[i + 2])
  local ends = mine and ends_at(member)
  -- Nobody has told yet that it was silent for too long, and it was not.
  if mine and ends >= active_at then
    if active_at + silence_ms > ends then
      keep(member, active_at)
    end
  elseif member and not mine and is_present(member) and not is_earlier(member, number) then
    superseded[#superseded + 1] = number
  else
    gone[#gone + 1] = number
  end
end

-- Removes members of `of` whose silence ended before `before`, as many as there is room for; returns their numbers.
local function remove(of, before)
  local numbers = {}
  local ids = redis.call('ZRANGEBYSCORE', seat_key(of), '-inf', before, 'LIMIT', 0, room)
  for _, id in ipairs(ids) do
    local member = find(id)
    if member and member.seat == of then
      numbers[#numbers + 1] = member.number
      leave(member)
    else
      redis.call('ZREM', seat_key(of), id)
    end
  end
  room = room - #ids
  return numbers
end

ended = remove(seat, '(' .. string.format('%.0f', now))
if redis.call('ZCARD', seat_key(seat)) == 0 then
  redis.call('ZREM', leases, seat)
else
  redis.call('ZADD', leases, string.format('%.0f', now + lease_ms), seat)
  extend(leases)
end

-- A lease is renewed long before it ends. Where ours has ended, the clock may have made a step, and others need a beat too.
local late = lease > 0 and lease < now
local dead = {}
if ARGV[5] == '1' and not late then
  dead = redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 10)
end
for _, other in ipairs(dead) do
  if room > 0 then
    -- Its lease has ended for good: it must know, should it come back, that members were taken from it.
    redis.call('ZADD', leases, 0, other)
    remove(other, '+inf')
    if redis.call('ZCARD', seat_key(other)) == 0 then
      redis.call('ZREM', leases, other)
    end
  end
end

local next_end = -1
local others = redis.call('ZRANGE', leases, 0, 1, 'WITHSCORES')
for i = 1, #others, 2 do
  if others[i] ~= seat and next_end < 0 and not late then
    next_end = math.max(0, tonumber(others[i + 1]) + 1 - now)
  end
end
return { lease > 0 and 1 or 0, room <= 0 and 1 or 0, next_end, gone, superseded, ended }
