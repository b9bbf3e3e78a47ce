-- owners/owners.lua, layout 1
-- Names the keys of the owners, and knows what each holds.
-- Defines live, orphans, owner_key(owner), taken_key(owner), tell(body), extend(owner), hold(owner, name), release(owner, name), bury(owner)
-- include ../../channel/lua/append.lua
local base = KEYS[1]
local live = base .. ':live'
local orphans = base .. ':orphans'
-- How many live owners hold a name.
local counts = base .. ':counts'
-- Longer than anybody leaves a dead system alone.
local keep_ms = 604800000
local taken_keep_ms = 3600000

local function owner_key(owner)
  return base .. ':owner:' .. owner
end

-- Names that were taken over from an owner that was thought dead.
local function taken_key(owner)
  return base .. ':taken:' .. owner
end

-- A stream that another program spoiled must keep nobody from coming or going: nothing is told on it then.
local function tell(body)
  pcall(append_message, base .. ':events', base .. ':events', body, 3600000, 1000, 'framed', now)
end

local function extend(owner)
  redis.call('PEXPIRE', live, keep_ms)
  redis.call('PEXPIRE', counts, keep_ms)
  redis.call('PEXPIRE', owner_key(owner), keep_ms)
end

-- What somebody holds is no orphan any more.
local function adopt(name)
  local orphan = redis.call('HGET', orphans, name)
  if orphan then
    local dead = string.match(orphan, '^%d+ (.*)$')
    redis.call('HDEL', orphans, name)
    -- Another program may have written it; nobody in particular has lost it then.
    if dead then
      redis.call('SADD', taken_key(dead), name)
      redis.call('PEXPIRE', taken_key(dead), taken_keep_ms)
    end
  end
end

local function hold(owner, name)
  adopt(name)
  if redis.call('HSETNX', owner_key(owner), 'h.' .. name, string.format('%.0f', now)) == 1 then
    redis.call('HINCRBY', counts, name, 1)
  end
  extend(owner)
end

-- Whether nobody holds the name any more.
local function uncount(name)
  if redis.call('HINCRBY', counts, name, -1) > 0 then
    return false
  end
  redis.call('HDEL', counts, name)
  return true
end

local function release(owner, name)
  if redis.call('HDEL', owner_key(owner), 'h.' .. name) == 0 then
    return 0
  end
  uncount(name)
  return 1
end

-- What it held, and nobody else holds, becomes an orphan.
local function bury(owner)
  local fields = redis.call('HGETALL', owner_key(owner))
  redis.call('DEL', owner_key(owner))
  redis.call('ZREM', live, owner)
  local names = {}
  for i = 1, #fields, 2 do
    local name = string.match(fields[i], '^h%.(.*)$')
    if name then
      names[#names + 1] = cjson.encode(name)
      if uncount(name) then
        redis.call('HSET', orphans, name, fields[i + 1] .. ' ' .. owner)
      end
    end
  end
  redis.call('PEXPIRE', orphans, keep_ms)
  table.sort(names)
  tell('{"type":"gone","owner":' .. cjson.encode(owner) .. ',"holds":[' .. table.concat(names, ',') .. ']}')
end
