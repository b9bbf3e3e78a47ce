-- queue/drain.lua, layout 1
-- Removes jobs that wait, in steps. Jobs that run or have ended stay.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] about how many of them at most
-- Returns {removed, 1 while some are left or 0}
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
-- include lines.lua
local most = tonumber(ARGV[9])
local looked_at = 0
local removed = 0

-- Removes the record of a job that waits, and its place in its topic.
local function drop(id, status)
  looked_at = looked_at + 1
  local job = redis.pcall('HMGET', job_key(id), 'status', 'topic')
  if job.err or job[1] ~= status then
    return 0
  end
  redis.call('DEL', job_key(id))
  drop_from_index(id)
  tell_awaiting(id)
  if job[2] then
    -- What another program put there does not keep jobs from going.
    redis.pcall('ZREM', topic_key(job[2]), id)
    leave_topic(job[2])
  end
  removed = removed + 1
  return 1
end

local function drain_delayed()
  local ids = redis.call('ZRANGE', base .. ':delayed', 0, most - 1)
  call_many('ZREM', base .. ':delayed', ids)
  for _, id in ipairs(ids) do
    drop(id, 'delayed')
  end
end

-- Returns how many waiting jobs were removed from a list of ids.
local function drain_list(key)
  local count = 0
  while looked_at < most do
    local id = redis.pcall('LPOP', key)
    if type(id) ~= 'string' then
      return count
    end
    count = count + drop(id, 'pending')
  end
  return count
end

-- Returns how many waiting jobs of one stream entry were removed.
local function drain_entry(line, entry)
  local fields = entry[2]
  if fields[1] == '@' then
    if is_gone(line, fields[2]) then
      looked_at = looked_at + 1
      return 0
    end
    return drop(fields[2], 'pending')
  end
  local count = 0
  for index = line.taken_of_first, #fields / 2 - 1 do
    local id = line.priority .. '-' .. entry[1] .. '-' .. index
    if not is_gone(line, id) then
      tell_awaiting(id)
      count = count + 1
    end
  end
  line.taken_of_first = 0
  looked_at = looked_at + #fields / 2
  removed = removed + count
  return count
end

-- Returns how many waiting jobs of a group were removed that were never started.
local function drain_fresh(priority, own)
  local count = 0
  while looked_at < most do
    local fresh = redis.pcall('LPOP', own.fresh_key)
    if type(fresh) ~= 'string' then
      return count
    end
    looked_at = looked_at + 1
    local id = string.match(fresh, '^@(.+)$')
    if id then
      count = count + (is_gone(own, id) and 0 or drop(id, 'pending'))
    elseif redis.call('HDEL', compact_key, fresh) == 1 then
      tell_awaiting(priority .. '-g' .. fresh)
      removed = removed + 1
      count = count + 1
    end
  end
  return count
end

-- Returns how many waiting jobs of one group were removed. What is left stays in the ring.
local function drain_group(line, group)
  local own = read_group(line.priority, group)
  local count = drain_list(own.again_key) + drain_fresh(line.priority, own)
  if looked_at >= most and redis.call('EXISTS', own.again_key, own.fresh_key) > 0 then
    join_ring(line.priority, group)
  else
    redis.call('DEL', own.gone_key)
  end
  return count
end

-- Puts all groups back into the ring, so that they are found.
local function unpark_all()
  while looked_at < most do
    local parked = redis.call('HSCAN', parked_key, 0)[2]
    if #parked == 0 then
      return
    end
    for i = 1, #parked, 2 do
      unpark(parked[i])
      looked_at = looked_at + 1
    end
  end
end

local function drain_ring(line)
  local ring = ring_key(line.priority)
  local count = 0
  while looked_at < most do
    local group = redis.call('LPOP', ring)
    if not group then
      break
    end
    looked_at = looked_at + 1
    if group ~= '' then
      count = count + drain_group(line, group)
    elseif redis.call('EXISTS', ring) == 1 then
      redis.call('RPUSH', ring, '')
    end
  end
  -- Not -count, which may be -0, and that is no number to Redis.
  redis.call('HINCRBY', base .. ':waiting', 'g' .. line.priority, 0 - count)
  if redis.call('EXISTS', ring, parked_key) == 0 then
    redis.call('HDEL', base .. ':waiting', 'g' .. line.priority)
  end
end

local function drain_line(line)
  local stream = base .. ':stream:' .. line.priority
  local count = drain_list(base .. ':again:' .. line.priority)
  local used = {}
  local from = '-'
  while looked_at < most do
    local entry = redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
    if not entry then
      clear_line(line.priority)
      return
    end
    count = count + drain_entry(line, entry)
    used[#used + 1] = entry[1]
    from = '(' .. entry[1]
  end
  if #used > 0 then
    call_many('XDEL', stream, used)
    redis.call('HDEL', base .. ':current', line.priority)
  end
  add_to_waiting(line.priority, 0 - count)
end

-- Everything is looked at before the first write: Redis does not roll back.
redis.call('ZCARD', base .. ':delayed')
redis.call('LLEN', base .. ':suspects')
redis.call('HLEN', base .. ':open')
redis.call('HLEN', base .. ':current')
local lines = read_lines()
if has_groups() then
  check_rings()
end
if has_index() then
  check_index()
end

drain_delayed()
drain_list(base .. ':suspects')
if has_groups() then
  unpark_all()
end
for _, line in ipairs(lines) do
  if looked_at < most and line.in_groups then
    drain_ring(line)
  end
  if looked_at < most and (line.waiting > 0 or not line.in_groups) then
    drain_line(line)
  end
end
return { removed, looked_at >= most and 1 or 0 }
