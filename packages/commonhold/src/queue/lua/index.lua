-- queue/index.lua, layout 1
-- What jobs are searched by, where a queue declares it: all by when they were added, those of a status by when they came into
-- it, those with the same text in a declared field by when they were added. A hash tells the fields of a job whose record is gone.
-- Defines status_key(status), field_key(name, text), created_key, check_index(), drop_from_index(id), add_to_index(id, status, from, to), move_in_index(id, from, to), forget_expired()
local created_key = base .. ':created'
local values_key = base .. ':values'
local statuses = { 'pending', 'delayed', 'processing', 'completed', 'failed', 'cancelled' }
local most_forgotten = 100

local function status_key(status)
  return base .. ':status:' .. status
end

local function field_key(name, text)
  return base .. ':field:' .. encode_part(name) .. ':' .. encode_part(text)
end

-- Looks at every key that a step may write to, and so at its type. Keys of single texts are written so that it may fail.
local function check_index()
  redis.call('ZCARD', created_key)
  redis.call('HLEN', values_key)
  for _, status in ipairs(statuses) do
    redis.call('ZCARD', status_key(status))
  end
end

local function drop_from_index(id)
  if not has_index() then
    return
  end
  for key in string.gmatch(redis.call('HGET', values_key, id) or '', '[^\n]+') do
    redis.pcall('ZREM', key, id)
  end
  redis.call('HDEL', values_key, id)
  redis.call('ZREM', created_key, id)
  for _, status in ipairs(statuses) do
    redis.call('ZREM', status_key(status), id)
  end
end

-- The names and texts of its fields stand in turn among the arguments.
local function add_to_index(id, status, from, to)
  if not has_index() then
    uses_index = true
    redis.call('HSET', base .. ':waiting', 'indexed', 0)
  elseif redis.call('ZSCORE', created_key, id) then
    drop_from_index(id)
  end
  redis.call('ZADD', created_key, now, id)
  redis.call('ZADD', status_key(status), now, id)
  local keys = {}
  for at = from, to, 2 do
    local key = field_key(ARGV[at], ARGV[at + 1])
    redis.pcall('ZADD', key, now, id)
    keys[#keys + 1] = key
  end
  if #keys > 0 then
    redis.call('HSET', values_key, id, table.concat(keys, '\n'))
  end
end

local function move_in_index(id, from, to)
  if has_index() then
    redis.call('ZREM', status_key(from), id)
    redis.call('ZADD', status_key(to), now, id)
  end
end

local function forget_in(status, keep_ms)
  local found = redis.call('ZRANGEBYSCORE', status_key(status), '-inf', '(' .. now - keep_ms, 'LIMIT', 0, most_forgotten)
  for _, id in ipairs(found) do
    -- An id may have been used again since.
    if redis.call('EXISTS', job_key(id)) == 0 then
      drop_from_index(id)
    else
      redis.call('ZREM', status_key(status), id)
    end
  end
end

-- Takes jobs whose records are kept no more out of the index.
local function forget_expired()
  if has_index() then
    forget_in('completed', keep_completed_ms)
    forget_in('cancelled', keep_completed_ms)
    forget_in('failed', keep_failed_ms)
  end
end
