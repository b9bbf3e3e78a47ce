-- session/record.lua, layout 1
-- What the hash of one session says. It counts as live only where all that this version relies on is there and whole.
-- Defines find(key), follow(key, id, late), size_with(record, first), write(key, header, first), live_until(key, record, expires_at), bury(key, reason, keep_ms), tell(news)
local base = ARGV[1]
local idle_ms = tonumber(ARGV[2])
local remember_ms = tonumber(ARGV[4])
local tombstone_ms = tonumber(ARGV[5])

local function whole(text)
  return text and #text < 16 and string.find(text, '^%d+$') and tonumber(text)
end

-- Returns why the session is not live, or nil; its fields by name; them as HGETALL told them; when it expires.
local function find(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then
    return 'absent', {}
  end
  local record = {}
  for i = 1, #flat, 2 do
    record[flat[i]] = flat[i + 1]
  end
  if record.x then
    return record.x, record
  end
  local seen_at, ends_at = whole(record.l), whole(record.a)
  if not (seen_at and ends_at and whole(record.c) and whole(record.v) and whole(record.s) and whole(record.r or '0')) then
    return 'corrupt', record
  end
  local idle_at = seen_at + idle_ms
  local expires_at = math.min(idle_at, ends_at)
  if now <= expires_at then
    return nil, record, flat, expires_at
  end
  return ends_at <= idle_at and 'absolute' or 'idle', record, flat, expires_at
end

-- As find, of the session that an id opens, whose key is given: after a renewal, while its grace lasts or however late, the
-- one that came after it. Returns its id first. What is stored cannot lead it astray for long.
local function follow(key, id, late)
  local why, record, flat, expires_at = find(key)
  for _ = 1, 8 do
    if why ~= 'renewed' or not record.n or not late and now > (whole(record.g) or -1) then
      break
    end
    id = record.n
    why, record, flat, expires_at = find(base .. id)
  end
  return id, why, record, flat, expires_at
end

-- Bytes of the data with the names and values written that begin at ARGV[first].
local function size_with(record, first)
  local size = tonumber(record.s or '0')
  for i = first, #ARGV, 2 do
    local held = record['d.' .. ARGV[i]]
    size = size - (held and #ARGV[i] + #held or 0) + (ARGV[i + 1] == '' and 0 or #ARGV[i] + #ARGV[i + 1])
  end
  return size
end

-- Writes header fields and the data that begin at ARGV[first], where an empty value removes.
local function write(key, header, first)
  local removed = {}
  for i = first, #ARGV, 2 do
    if ARGV[i + 1] == '' then
      removed[#removed + 1] = 'd.' .. ARGV[i]
    else
      header[#header + 1] = 'd.' .. ARGV[i]
      header[#header + 1] = ARGV[i + 1]
    end
  end
  redis.call('HSET', key, unpack(header))
  if #removed > 0 then
    redis.call('HDEL', key, unpack(removed))
  end
end

-- Sets the life of the key, and notes by how much it outlives the session. Begins with what needs no memory.
local function live_until(key, record, expires_at)
  redis.call('PEXPIRE', key, math.max(1, expires_at - now + remember_ms))
  if remember_ms > 0 then
    redis.call('HSET', key, 'r', remember_ms)
  elseif record.r then
    redis.call('HDEL', key, 'r')
  end
end

-- Leaves nothing of a session but why it ended. Deleting comes first, so that it works when memory is full.
local function bury(key, reason, keep_ms)
  redis.call('DEL', key)
  if keep_ms > 0 then
    redis.call('HSET', key, 'x', reason)
    redis.call('PEXPIRE', key, keep_ms)
  end
end

-- Tells whoever holds sessions open what became of some.
local function tell(news)
  redis.call('PUBLISH', ARGV[9], news)
end
