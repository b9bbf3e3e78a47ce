-- presence/space.lua, layout 1
-- Names the keys of a presence, and says who is present.
-- Defines base, leases, members, seat_key(seat), region_key(region), users_key(user), find(id), is_held(seat), ends_at(member), is_present(member), describe(member, ends)
local base = KEYS[1]
local leases = base .. ':leases'
local members = base .. ':members'

local function seat_key(seat)
  return base .. ':seat:' .. seat
end

local function region_key(region)
  return base .. ':region:' .. region
end

-- Users are spread over 4,096 keys: Redis holds many small sets in half the memory of a large one.
local function users_key(user)
  return base .. ':users:' .. string.sub(redis.sha1hex(user), 1, 3)
end

local record_pattern = '^' .. string.rep('([^\n]*)\n', 7) .. '(.*)$'

-- A record is lines of text, of which the last may hold anything.
local function find(id)
  local record = redis.call('HGET', members, id)
  if not record then
    return nil
  end
  local member = { id = id }
  member.seat, member.number, member.user, member.region, member.location, member.joined, member.agent, member.meta =
    string.match(record, record_pattern)
  -- What another program wrote is nobody.
  return member.meta and member or nil
end

local held = {}

-- Whether the process that a seat belongs to is alive.
local function is_held(seat)
  if held[seat] == nil then
    held[seat] = tonumber(redis.call('ZSCORE', leases, seat) or 0) >= now
  end
  return held[seat]
end

-- When the member's silence becomes too long.
local function ends_at(member)
  return tonumber(redis.call('ZSCORE', seat_key(member.seat), member.id) or 0)
end

local function is_present(member)
  return is_held(member.seat) and ends_at(member) >= now
end

local function describe(member, ends)
  local ends_text = string.format('%.0f', ends)
  return { member.id, ends_text, member.seat, member.joined, member.meta, member.user, member.region, member.location }
end
