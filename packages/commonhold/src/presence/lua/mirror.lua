-- presence/mirror.lua, layout 1
-- Shows members under documented key names, for whoever looks with redis-cli. Nothing here reads them, so a key that another
-- program spoiled harms no member.
-- Defines show(member, active_at), hide_region(member), hide(member)
-- include ../../counter/lua/civil.lua
local mirror = ARGV[1]
local day_ms = 86400000

local function iso(ms)
  local day = math.floor(ms / day_ms)
  local rest = ms - day * day_ms
  local clock = string.format('%02d:%02d:%02d.%03d', math.floor(rest / 3600000), math.floor(rest / 60000) % 60,
    math.floor(rest / 1000) % 60, rest % 1000)
  return civil(day) .. 'T' .. clock .. 'Z'
end

local function text_or_null(text)
  return text == '' and 'null' or cjson.encode(text)
end

local function location_json(location)
  local latitude, longitude = string.match(location, '^([^,]*),(.*)$')
  return latitude and '{"latitude":' .. latitude .. ',"longitude":' .. longitude .. '}' or 'null'
end

local function session_json(member, active_at)
  local parts = {
    '"socketId":' .. cjson.encode(member.id),
    '"userId":' .. text_or_null(member.user),
    '"currentRegionId":' .. text_or_null(member.region),
    '"lastLocation":' .. location_json(member.location),
    '"connectedAt":"' .. iso(tonumber(member.joined)) .. '"',
    '"lastActivityAt":"' .. iso(active_at) .. '"',
    '"userAgent":' .. text_or_null(member.agent),
  }
  return '{' .. table.concat(parts, ',') .. '}'
end

local function show_in(key, id)
  redis.pcall('SADD', key, id)
  redis.pcall('PEXPIRE', key, keep_ms)
end

local function show(member, active_at)
  if mirror == '' then
    return
  end
  redis.pcall('SET', mirror .. ':session:' .. member.id, session_json(member, active_at), 'PX', keep_ms)
  redis.pcall('SET', mirror .. ':heartbeat:' .. member.id, string.format('%.0f', active_at), 'PX', silence_ms)
  if member.user ~= '' then
    show_in(mirror .. ':user:' .. member.user .. ':sessions', member.id)
  end
  if member.region ~= '' then
    show_in(mirror .. ':region:' .. member.region .. ':members', member.id)
  end
end

local function hide_region(member)
  if mirror ~= '' and member.region ~= '' then
    redis.pcall('SREM', mirror .. ':region:' .. member.region .. ':members', member.id)
  end
end

local function hide(member)
  if mirror == '' then
    return
  end
  redis.pcall('DEL', mirror .. ':session:' .. member.id)
  redis.pcall('DEL', mirror .. ':heartbeat:' .. member.id)
  hide_region(member)
  if member.user ~= '' then
    redis.pcall('SREM', mirror .. ':user:' .. member.user .. ':sessions', member.id)
  end
end
