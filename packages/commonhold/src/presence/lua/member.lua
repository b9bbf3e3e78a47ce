-- presence/member.lua, layout 1
-- Puts members in their places, removes them, and tells those who listen. Begins with the arguments that every script is
-- given which changes something.
-- Defines silence_ms, lease_ms, keep_ms, seat, is_earlier(member, number), write(member), put(member, active_at), keep(member, active_at), drop(member), tell(kind, member, active_at, from), leave(member)
local silence_ms = tonumber(ARGV[2])
local lease_ms = tonumber(ARGV[3])
local seat = ARGV[4]
-- Nothing that nobody touched for so long still holds somebody who is present.
local keep_ms = math.max(3600000, 2 * silence_ms)
-- include ../../channel/lua/append.lua
-- include mirror.lua

local extended = {}

-- Whether the member is an earlier stay of this seat: the store went back to it, so it stands for the later one.
local function is_earlier(member, number)
  return member.seat == seat and tonumber(member.number) < tonumber(number)
end

local function extend(key)
  if not extended[key] then
    extended[key] = true
    redis.call('PEXPIRE', key, keep_ms)
  end
end

-- Says that the member was active, and puts it where it belongs.
local function keep(member, active_at)
  local ends = string.format('%.0f', active_at + silence_ms)
  redis.call('ZADD', seat_key(member.seat), ends, member.id)
  extend(seat_key(member.seat))
  extend(members)
  if member.region ~= '' then
    redis.call('ZADD', region_key(member.region), ends, member.id)
    extend(region_key(member.region))
  end
  if member.user ~= '' then
    extend(users_key(member.user))
  end
  show(member, active_at)
end

-- User and id in one, so that the members of a user lie side by side.
local function user_entry(member)
  return member.user .. '\n' .. member.id
end

local function write(member)
  local lines = { member.seat, member.number, member.user, member.region, member.location, member.joined, member.agent }
  lines[#lines + 1] = member.meta
  redis.call('HSET', members, member.id, table.concat(lines, '\n'))
end

local function put(member, active_at)
  write(member)
  if member.user ~= '' then
    redis.call('ZADD', users_key(member.user), 0, user_entry(member))
  end
  keep(member, active_at)
end

-- A region that another program spoiled must keep nobody from leaving.
local function drop(member)
  redis.call('HDEL', members, member.id)
  redis.call('ZREM', seat_key(member.seat), member.id)
  if member.region ~= '' then
    redis.pcall('ZREM', region_key(member.region), member.id)
  end
  if member.user ~= '' then
    redis.pcall('ZREM', users_key(member.user), user_entry(member))
  end
  hide(member)
end

-- As encodePart in keys.ts, for a part of at most 512 bytes.
local function encode_part(part)
  return (string.gsub(part, '[%%:{}*?%[%]\\^%c]', function(character)
    return string.format('%%%02X', string.byte(character))
  end))
end

-- A stream that another program spoiled must keep nobody from coming or going: nothing is told on it then.
local function tell_on(channel, body)
  pcall(append_message, channel, channel, body, 60000, 50000, 'framed', now)
end

-- To those who listen to everything, to the region the member is in, and to the one it came from.
local function tell(kind, member, active_at, from)
  local shown = {
    id = member.id,
    seat = member.seat,
    user = member.user,
    region = member.region,
    location = member.location,
    meta = member.meta,
    joinedAtMs = tonumber(member.joined),
    lastActivityAtMs = active_at,
  }
  local body = cjson.encode({ type = kind, member = shown, from = from or '' })
  tell_on(base .. ':events', body)
  for _, region in ipairs({ member.region, from or '' }) do
    if region ~= '' then
      tell_on(base .. ':events:' .. encode_part(region), body)
    end
  end
end

local function leave(member)
  local active_at = math.max(0, ends_at(member) - silence_ms)
  drop(member)
  tell('left', member, active_at)
end
