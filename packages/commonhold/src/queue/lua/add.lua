-- queue/add.lua, layout 1
-- Adds jobs: compact ones up to sixteen to a stream entry, the others with a record of their own.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9...] jobs, each as id, priority, delayMs, topic, options, data, number of fields, fields
-- Returns for each job its id, or its id after '=' where it was there before
-- include ../../channel/lua/append.lua
-- include jobs.lua
local entry_size = 16
local replies = {}
local added = 0
local ready = 0
local open = {}

-- Writes the compact jobs gathered for one priority as one entry.
local function flush(priority)
  local batch = open[priority]
  if not batch then
    return
  end
  open[priority] = nil
  local entry = redis.call('XADD', base .. ':stream:' .. priority, '*', unpack(batch.items))
  for i, reply in ipairs(batch.replies) do
    replies[reply] = priority .. '-' .. entry .. '-' .. (i - 1)
  end
  redis.call('HINCRBY', waiting_key, priority, #batch.replies)
end

local function add_compact(priority, options, data)
  local batch = open[priority]
  if not batch then
    batch = { items = {}, replies = {} }
    open[priority] = batch
  end
  replies[#replies + 1] = false
  batch.items[#batch.items + 1] = #batch.replies
  batch.items[#batch.items + 1] = options .. '\n' .. data
  batch.replies[#batch.replies + 1] = #replies
  added = added + 1
  ready = ready + 1
  if #batch.replies == entry_size then
    flush(priority)
  end
end

-- Two of the oldest jobs of a topic are forgotten with each new one, if their records are gone.
local function prune(topic_key)
  for _, id in ipairs(redis.call('ZRANGE', topic_key, 0, 1)) do
    if redis.call('EXISTS', job_key(id)) == 0 then
      redis.call('ZREM', topic_key, id)
    end
  end
end

local function add_recorded(id, priority, delay_ms, topic, options, data, fields)
  local key = job_key(id)
  if redis.call('EXISTS', key) == 1 then
    replies[#replies + 1] = '=' .. id
    return
  end
  local status = delay_ms > 0 and 'delayed' or 'pending'
  redis.call('HSET', key, 'status', status, 'priority', priority, 'created_at', now, 'attempts', 0, 'data', data, unpack(fields))
  if options ~= '' then
    redis.call('HSET', key, 'options', options)
  end
  if topic ~= '' then
    redis.call('HSET', key, 'topic', topic)
    local topic_key = base .. ':topic:' .. encode_part(topic)
    redis.call('ZADD', topic_key, redis.call('INCR', base .. ':sequence'), id)
    prune(topic_key)
  end
  if delay_ms > 0 then
    redis.call('ZADD', delayed_key, now + delay_ms, id)
  else
    -- The order within a priority is that of the calls, so what was gathered before goes first.
    flush(priority)
    redis.call('XADD', base .. ':stream:' .. priority, '*', '@', id)
    redis.call('HINCRBY', waiting_key, priority, 1)
    ready = ready + 1
  end
  replies[#replies + 1] = id
  added = added + 1
end

local at = 9
while ARGV[at] do
  local id, priority, topic, options, data = ARGV[at], ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local count = tonumber(ARGV[at + 6])
  if id == '' then
    add_compact(priority, options, data)
  else
    local fields = {}
    for i = 1, count do
      fields[i] = ARGV[at + 6 + i]
    end
    add_recorded(id, priority, tonumber(ARGV[at + 2]), topic, options, data, fields)
  end
  at = at + 7 + count
end
local priorities = {}
for priority in pairs(open) do
  priorities[#priorities + 1] = priority
end
for _, priority in ipairs(priorities) do
  flush(priority)
end
if added > 0 then
  redis.call('INCRBY', stats_base .. ':tasks:total', added)
end
wake(ready)
return replies
