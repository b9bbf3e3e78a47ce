-- queue/add.lua, layout 1
-- Adds jobs: compact ones up to sixteen to a stream entry, the others with a record of their own.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] adder, ARGV[10] number of the batch
-- ARGV[11...] jobs, each as id ('' for a compact one), priority (and `:group`), delayMs, topic, options, data, number of
-- fields (and `+` that of the names and texts it is searched by), fields, names and texts
-- Returns the ids of the jobs, parted by spaces, after '=' where there was such a job; false for a batch that comes too late;
-- '!' while no job may be added
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
local number = tonumber(ARGV[10])
local adds_key = base .. ':adds:' .. ARGV[9]
local remembered_batches = 32
local slot = number % remembered_batches
local entry_size = 16
local replies = {}
local added = 0
local ready = 0
local open_entries = {}
local any_parked
local drawn_key = base .. ':drawn'
local last_drawn

-- Returns line and group of a job. A group stands behind the priority and a colon.
local function place_of(priority)
  if #priority <= 2 then
    return line_of(priority)
  end
  local digits, group = string.match(priority, '^(%d+):(.+)$')
  return line_of(digits), group
end

-- Fails, before anything is written, where a key has another type.
local function check(at, lines, searched)
  local id, topic = ARGV[at], ARGV[at + 3]
  local line, group = place_of(ARGV[at + 1])
  if not lines[line] then
    lines[line] = redis.call('XLEN', base .. ':stream:' .. line)
  end
  if id ~= '' then
    redis.call('HLEN', job_key(id))
    redis.call('ZCARD', base .. ':delayed')
  end
  if searched then
    check_index()
  end
  if group and id == '' then
    last_drawn = last_drawn or tonumber(redis.call('GET', drawn_key) or '0') or 0
    redis.call('HLEN', compact_key)
  end
  if group then
    any_parked = redis.call('HLEN', parked_key) > 0
    redis.call('LLEN', ring_key(line))
    redis.call('LLEN', base .. ':again:' .. group_line(line, group))
    redis.call('LLEN', base .. ':fresh:' .. group_line(line, group))
  end
  if topic ~= '' then
    redis.call('HLEN', base .. ':open')
    redis.call('ZCARD', topic_key(topic))
  end
end

-- Writes the compact jobs gathered for one line as one entry.
local function flush(line)
  local entry = open_entries[line]
  if not entry then
    return
  end
  open_entries[line] = nil
  local entry_id = redis.call('XADD', base .. ':stream:' .. line, '*', unpack(entry.items))
  for i, place in ipairs(entry.places) do
    replies[place] = line .. '-' .. entry_id .. '-' .. (i - 1)
  end
  redis.call('HINCRBY', base .. ':waiting', line, #entry.places)
end

local function add_compact(line, options, data)
  local entry = open_entries[line]
  if not entry then
    entry = { items = {}, places = {} }
    open_entries[line] = entry
  end
  local count = #entry.places
  entry.items[2 * count + 1] = count
  entry.items[2 * count + 2] = options .. '\n' .. data
  entry.places[count + 1] = #replies + 1
  replies[#replies + 1] = ''
  added = added + 1
  ready = ready + 1
  if count + 1 == entry_size then
    flush(line)
  end
end

-- Two of the oldest jobs of a topic are forgotten with each new one, if their records are gone.
local function add_to_topic(topic, id)
  local key = topic_key(topic)
  redis.call('ZADD', key, redis.call('INCR', base .. ':sequence'), id)
  join_topic(topic)
  for _, old in ipairs(redis.call('ZRANGE', key, 0, 1)) do
    if redis.call('EXISTS', job_key(old)) == 0 then
      redis.call('ZREM', key, old)
    end
  end
end

local function add_to_delayed(id, delay_ms)
  redis.call('ZADD', base .. ':delayed', now + delay_ms, id)
  -- Nobody has looked for this one yet: a waiting worker is told when it falls due.
  if redis.call('ZRANGE', base .. ':delayed', 0, 0)[1] == id then
    ready = ready + 1
  end
end

local function add_to_line(id, line)
  -- The order within a line is that of the calls, so what was gathered before goes first.
  flush(line)
  redis.call('XADD', base .. ':stream:' .. line, '*', '@', id)
  redis.call('HINCRBY', base .. ':waiting', line, 1)
  ready = ready + 1
end

-- While a group runs as many jobs as it may, nobody is woken for one more.
local function add_to_group(reference, line, group)
  push_to_group(reference, line, group, 'fresh', false)
  if not any_parked or redis.call('HEXISTS', parked_key, group) == 0 then
    ready = ready + 1
  end
end

-- A job of a group without a record is called after a number, which grows and tells when it was added.
local function add_compact_to_group(line, group, options, data)
  last_drawn = math.max(last_drawn + 1, now * 1024)
  local number = string.format('%.0f', last_drawn)
  redis.call('HSET', compact_key, number, line .. ':' .. group .. '\n' .. options .. '\n' .. data)
  add_to_group(number, line, group)
  replies[#replies + 1] = line .. '-g' .. number
  added = added + 1
end

local function add_recorded(at, fields_end, job_end)
  local id, delay_ms = ARGV[at], tonumber(ARGV[at + 2])
  local line, group = place_of(ARGV[at + 1])
  local topic, options, data = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local key = job_key(id)
  if redis.call('EXISTS', key) == 1 then
    replies[#replies + 1] = '=' .. id
    return
  end
  local status = delay_ms > 0 and 'delayed' or 'pending'
  redis.call('HSET', key, 'status', status, 'priority', line, 'created_at', now, 'attempts', 0, 'data', data,
    unpack(ARGV, at + 7, fields_end))
  if options ~= '' then
    redis.call('HSET', key, 'options', options)
  end
  if topic ~= '' then
    redis.call('HSET', key, 'topic', topic)
    add_to_topic(topic, id)
  end
  if job_end then
    add_to_index(id, status, fields_end + 1, job_end)
  end
  if group then
    redis.call('HSET', key, 'group', group)
  end
  if delay_ms > 0 then
    add_to_delayed(id, delay_ms)
  elseif group then
    add_to_group('@' .. id, line, group)
  else
    add_to_line(id, line)
  end
  replies[#replies + 1] = id
  added = added + 1
end

-- Calls `each` with the place of every job among the arguments, that of its last field, and, if it is searched, of its last text.
local function each_job(each)
  local at = 11
  while ARGV[at] do
    local fields, searched = tonumber(ARGV[at + 6]), nil
    if not fields then
      fields, searched = string.match(ARGV[at + 6], '^(%d+)%+(%d+)$')
    end
    local fields_end = at + 6 + fields
    local job_end = searched and fields_end + searched
    each(at, fields_end, job_end)
    at = (job_end or fields_end) + 1
  end
end

-- A batch whose answer was lost is sent again, and must not be added twice.
local before, replied = string.match(redis.call('HGET', adds_key, slot) or '-1|', '^(%-?%d+)|(.*)$')
if tonumber(before) >= number then
  return tonumber(before) == number and replied
end

-- Everything is looked at before the first write: Redis does not roll back.
if redis.call('HGET', base .. ':waiting', 'closed') then
  return '!'
end
redis.call('ZCARD', base .. ':idle')
if not integer(redis.call('GET', stats_base .. ':tasks:total')) or not integer(redis.call('GET', base .. ':sequence')) then
  return redis.error_reply('WRONGTYPE a total of the queue is not a whole number')
end
local lines = {}
each_job(function(at, _, job_end)
  check(at, lines, job_end)
end)

each_job(function(at, fields_end, job_end)
  if ARGV[at] ~= '' then
    return add_recorded(at, fields_end, job_end)
  end
  local line, group = place_of(ARGV[at + 1])
  if group then
    add_compact_to_group(line, group, ARGV[at + 4], ARGV[at + 5])
  else
    add_compact(line, ARGV[at + 4], ARGV[at + 5])
  end
end)
for line = 0, 10 do
  flush(tostring(line))
end
if last_drawn and last_drawn > 0 then
  redis.call('SET', drawn_key, string.format('%.0f', last_drawn))
end
if added > 0 then
  redis.call('INCRBY', stats_base .. ':tasks:total', added)
end
local reply = table.concat(replies, ' ')
redis.call('HSET', adds_key, slot, ARGV[10] .. '|' .. reply)
redis.call('PEXPIRE', adds_key, 600000)
wake(ready)
return reply
