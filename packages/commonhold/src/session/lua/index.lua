-- session/index.lua, layout 1
-- The index of one user: ids of sessions by when they expire. It lives as long as the longest of them may.
-- Defines index_of(user), prune(index), is_full(index), enlist(index, id, expires_at, ends_at), admit(index, id, expires_at, ends_at)

-- The name that keys.ts gives it. The user is known only from the session.
local function index_of(user)
  return base .. 'u:' .. string.gsub(user, '[%%:{}*?%[%]\\%^%c]', function(character)
    return string.format('%%%02X', string.byte(character))
  end)
end

local function prune(index)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', string.format('(%.0f', now))
end

-- Whether the user has as many sessions as may be, and a further one is refused. Fails for a key of another type, and
-- writes nothing: what removes something first would let a login in although memory is full.
local function is_full(index)
  local count = redis.call('ZCOUNT', index, string.format('%.0f', now), '+inf')
  local most = tonumber(ARGV[7])
  return ARGV[8] == 'refuse' and most > 0 and count >= most
end

local function enlist(index, id, expires_at, ends_at)
  redis.call('ZADD', index, expires_at, id)
  local life_ms = math.max(1, ends_at - now)
  if redis.call('PTTL', index) < life_ms then
    redis.call('PEXPIRE', index, life_ms)
  end
end

-- As enlist, and ends the least recently used sessions where the user would have more than allowed.
local function admit(index, id, expires_at, ends_at)
  prune(index)
  local most = tonumber(ARGV[7])
  local over = most > 0 and redis.call('ZCARD', index) - most or -1
  if over >= 0 then
    local ended = redis.call('ZRANGE', index, 0, over)
    for _, other in ipairs(ended) do
      bury(base .. other, 'revoked', tombstone_ms)
    end
    redis.call('ZREMRANGEBYRANK', index, 0, over)
    tell('revoked ' .. table.concat(ended, ' '))
  end
  enlist(index, id, expires_at, ends_at)
end
