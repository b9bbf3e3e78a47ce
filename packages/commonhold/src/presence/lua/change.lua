-- presence/change.lua, layout 1
-- Members of one seat come, move and go, in the order given.
-- KEYS[1] presence
-- ARGV[1] prefix of the documented names ('' for none), ARGV[2] silenceMs, ARGV[3] leaseMs, ARGV[4] seat
-- ARGV[5...] changes, each as kind, id, number, user, region, location, meta, agent, idleMs, joinedAtMs ('' for now)
-- Returns {kept, outcomes}: whether the seat still held its members, and for each change 'done', 'gone' or 'superseded'
-- include space.lua
-- include member.lua

local function is_mine(member, change)
  return member.seat == seat and member.number == change.number
end

local function move(change, member)
  if not member then
    return 'gone'
  end
  if not is_mine(member, change) then
    return is_present(member) and not is_earlier(member, change.number) and 'superseded' or 'gone'
  end
  if ends_at(member) < now then
    return 'gone'
  end
  local from = member.region
  local moved = change.region ~= '' and change.region ~= from
  if moved then
    if from ~= '' then
      redis.call('ZREM', region_key(from), member.id)
    end
    hide_region(member)
    member.region = change.region
  end
  if change.location ~= '' then
    member.location = change.location
  end
  if moved or change.location ~= '' then
    write(member)
  end
  keep(member, now)
  if moved then
    tell('moved', member, now, from)
  end
  return 'done'
end

local function join(change, member)
  if member and is_present(member) then
    -- What is here is newer than what its process remembered.
    if is_mine(member, change) then
      return 'done'
    end
    if change.kind == 'restore' and not is_earlier(member, change.number) then
      return 'superseded'
    end
  end
  if member then
    leave(member)
  end
  change.seat = seat
  if change.joined == '' then
    change.joined = string.format('%.0f', now)
  end
  local active_at = now - tonumber(change.idle)
  put(change, active_at)
  tell('joined', change, active_at)
  return 'done'
end

local function part(change, member)
  if not member then
    return 'gone'
  end
  if not is_mine(member, change) then
    return 'superseded'
  end
  leave(member)
  return 'done'
end

local lease = tonumber(redis.call('ZSCORE', leases, seat) or 0)
-- A member of this seat is held: this step is a sign of life.
held[seat] = true
local steps = { join = join, restore = join, move = move, leave = part }
local names = { 'kind', 'id', 'number', 'user', 'region', 'location', 'meta', 'agent', 'idle', 'joined' }
local changes = {}
-- What another program put in the way shows before the first write, so that no change is done and refused with another.
local touched = { [seat_key(seat)] = true }
for first = 5, #ARGV, #names do
  local change = {}
  for offset, name in ipairs(names) do
    change[name] = ARGV[first + offset - 1]
  end
  changes[#changes + 1] = change
  touched[region_key(change.region)] = true
  if change.user ~= '' then
    touched[users_key(change.user)] = true
  end
end
for key in pairs(touched) do
  redis.call('ZCARD', key)
end
local outcomes = {}
for index, change in ipairs(changes) do
  outcomes[index] = steps[change.kind](change, find(change.id))
end
if redis.call('ZCARD', seat_key(seat)) == 0 then
  redis.call('ZREM', leases, seat)
else
  redis.call('ZADD', leases, string.format('%.0f', now + lease_ms), seat)
  extend(leases)
end
return { lease > 0 and 1 or 0, outcomes }
