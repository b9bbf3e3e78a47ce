-- map/entries.lua, layout 1
-- What the scripts of a map share. A map is one hash: each field a key, its value `version|ends|owner|` and the bytes, and
-- the empty field the version last given. Ends are also scores of a sorted set, which exists only where entries end.
-- Defines alive(raw), write(key, head, value, ends), announce(owner, changes, version), purge(), keep_alive()
--
-- now is the server's time; KEYS are entries, expiry, changes; ARGV[1] is '1' where changes are published, else ''.
-- include ../../channel/lua/append.lua

-- Both fail for a key of another type before anything is written.
local timed = redis.call('ZCARD', KEYS[2])
if ARGV[1] ~= '' then
  redis.call('XLEN', KEYS[3])
end

local function whole(number)
  return string.format('%.0f', number)
end

-- What another program wrote into the hash counts as alive, so that the reader can say so.
local function alive(raw)
  local ends = string.match(raw, '^%d+|(%d+)|[^|]*|')
  return not ends or now <= tonumber(ends)
end

-- Goes by the clock as well: the counter alone would give versions again after its last steps were lost.
local function next_version()
  local version = redis.call('HINCRBY', KEYS[1], '', 1)
  if version < now * 1024 then
    version = now * 1024
    redis.call('HSET', KEYS[1], '', whole(version))
  end
  return whole(version)
end

local function end_of(ttl_ms)
  return ttl_ms == '' and '' or whole(now + tonumber(ttl_ms))
end

local function write(key, head, value, ends)
  redis.call('HSET', KEYS[1], key, head .. value)
  if ends ~= '' then
    timed = timed + redis.call('ZADD', KEYS[2], ends, key)
  elseif timed > 0 then
    timed = timed - redis.call('ZREM', KEYS[2], key)
  end
end

-- changes: a list of { key, value, ends }, of which the last two are nil for a removal; nil where everything went.
local function announce(owner, changes, version)
  if ARGV[1] == '' then
    return
  end
  local items, values, offset = {}, {}, 0
  for i, change in ipairs(changes or {}) do
    local item = '{"key":' .. cjson.encode(change.key)
    if change.value then
      local place = whole(offset) .. ',' .. whole(#change.value)
      local ends = change.ends == '' and 'null' or change.ends
      item = item .. ',"expiresAt":' .. ends .. ',"value":{"$bytes":[' .. place .. ']}'
      offset = offset + #change.value
      values[#values + 1] = change.value
    end
    items[i] = item .. '}'
  end
  local body = '{"version":' .. (version or next_version()) .. ',"owner":' .. cjson.encode(owner)
  body = body .. (changes and ',"changes":[' .. table.concat(items, ',') .. ']}' or '}')
  if offset > 0 then
    body = '\2' .. body .. '\0' .. table.concat(values)
  end
  append_message(KEYS[3], KEYS[3], body, 300000, 1000, 'framed', now)
end

-- Removes what ended first. Begins with what needs no memory.
local function purge()
  if timed == 0 then
    return
  end
  local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. whole(now), 'LIMIT', 0, 100)
  if #ended == 0 then
    return
  end
  redis.call('HDEL', KEYS[1], unpack(ended))
  timed = timed - redis.call('ZREM', KEYS[2], unpack(ended))
  local changes = {}
  for i, key in ipairs(ended) do
    changes[i] = { key = key }
  end
  announce('', changes)
end

-- Lets Redis end the keys themselves an hour after the last entry that can be alive, unless one has no end.
local function keep_alive()
  if redis.call('HLEN', KEYS[1]) - 1 > timed then
    redis.call('PERSIST', KEYS[1])
    if timed > 0 then
      redis.call('PERSIST', KEYS[2])
    end
    return
  end
  local latest = timed > 0 and tonumber(redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]) or now
  local left = math.max(redis.call('PTTL', KEYS[1]), math.max(latest, now) - now + 3600000)
  redis.call('PEXPIRE', KEYS[1], whole(left))
  if timed > 0 then
    redis.call('PEXPIRE', KEYS[2], whole(left))
  end
end
