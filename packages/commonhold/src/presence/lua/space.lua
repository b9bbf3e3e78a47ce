-- presence/space.lua, layout 1
-- Names the keys of a presence, and says who is present.
-- Defines base, leases, seat_key(seat), member_key(id), region_key(region), user_key(user), find(id), is_held(seat), ends_at(member), is_present(member), describe(member, ends)
local base = KEYS[1]
local leases = base .. ':leases'

local function seat_key(seat)
  return base .. ':seat:' .. seat
end

local function member_key(id)
  return base .. ':member:' .. id
end

local function region_key(region)
  return base .. ':region:' .. region
end

local function user_key(user)
  return base .. ':user:' .. user
end

local function find(id)
  local found = redis.call('HMGET', member_key(id), 's', 'n', 'u', 'r', 'l', 'j', 'm', 'a')
  if not found[1] then
    return nil
  end
  return {
    id = id,
    seat = found[1],
    number = found[2],
    user = found[3],
    region = found[4],
    location = found[5],
    joined = found[6],
    meta = found[7],
    agent = found[8],
  }
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
