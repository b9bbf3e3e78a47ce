-- session/record.lua, layout 1
-- What the hash of one session says. It counts as live only where all that this version relies on is there and whole.
-- Defines find(key), outgrown(record, first), write(key, first), bury(key, reason, keep_ms)
local idle_ms = tonumber(ARGV[2])
local remember_ms = tonumber(ARGV[4])

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
  if not (seen_at and ends_at and whole(record.c) and whole(record.v)) then
    return 'corrupt', record
  end
  local idle_at = seen_at + idle_ms
  local expires_at = math.min(idle_at, ends_at)
  if now <= expires_at then
    return nil, record, flat, expires_at
  end
  return ends_at <= idle_at and 'absolute' or 'idle', record, flat, expires_at
end

-- Whether the data would exceed its bound with the names and values written that begin at ARGV[first].
local function outgrown(record, first)
  local sizes = {}
  for name, value in pairs(record) do
    if string.sub(name, 1, 2) == 'd.' then
      sizes[name] = #name - 2 + #value
    end
  end
  for i = first, #ARGV, 2 do
    sizes['d.' .. ARGV[i]] = ARGV[i + 1] == '' and 0 or #ARGV[i] + #ARGV[i + 1]
  end
  local total = 0
  for _, size in pairs(sizes) do
    total = total + size
  end
  return total > tonumber(ARGV[7])
end

-- One by one: a session may hold more fields than Lua can pass at once. No encoded value is empty.
local function write(key, first)
  for i = first, #ARGV, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', key, 'd.' .. ARGV[i])
    else
      redis.call('HSET', key, 'd.' .. ARGV[i], ARGV[i + 1])
    end
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
