-- queue/turn.lua, layout 1
-- One trip of a worker: hand in what ended, take over from dead workers, promote what falls due, claim what is free.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] owner, ARGV[10] workerName, ARGV[11] leaseMs, ARGV[12] free
-- ARGV[13] idle (1 or 0), ARGV[14] number of known ids (-1 when no answer was lost)
-- ARGV[15...] known ids, then ended jobs, each as id, attempt, kind, payload, delayMs
-- Returns {ends, jobs, alone, waitingForIdle, paused, lookAgainMs or -1}; a job is {id, attempt, priority, createdAt, options, topic, data}
-- include ../../channel/lua/append.lua
-- include jobs.lua
local owner = ARGV[9]
local worker_name = ARGV[10]
local lease_ms = tonumber(ARGV[11])
local free = tonumber(ARGV[12])
local idle = ARGV[13] == '1'
local known_count = tonumber(ARGV[14])
local held = held_key(owner)
local suspects_key = base .. ':suspects'
local deaths_until_alone = 2
local deaths_until_failed = 3
local batch_size = 128

-- The first write frees, so that the step also runs when memory is full.
redis.call('ZREM', idle_key, owner)

local completed, failed, processing_ms = 0, 0, 0
local new_suspects = 0
local ends = {}

local function finish(id, attempt, kind, payload, delay_ms)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'status', 'attempts', 'owner', 'priority', 'started_at', 'topic')
  if job[1] ~= 'processing' or job[2] ~= attempt or job[3] ~= owner then
    return 'superseded'
  end
  local topic = job[6] or nil
  redis.call('ZREM', held, id)
  if kind == 'complete' then
    completed = completed + 1
    processing_ms = processing_ms + (now - tonumber(job[5]))
    end_job(id, 'completed', 'result', payload, now)
    announce('completed', id, topic, 'completed', 1, now)
  elseif kind == 'fail' then
    failed = failed + 1
    end_job(id, 'failed', 'error', payload, now)
    announce('failed', id, topic, 'failed', 0, now)
  elseif kind == 'retry' then
    redis.call('HDEL', key, 'owner', 'progress')
    redis.call('HSET', key, 'status', 'delayed', 'error', payload)
    redis.call('ZADD', delayed_key, now + delay_ms, id)
  else
    redis.call('HDEL', key, 'owner', 'progress', 'started_at', 'worker_id')
    redis.call('HSET', key, 'status', 'pending', 'attempts', tonumber(attempt) - 1)
    enqueue_again(id, job[4], true)
  end
  return 'done'
end

local known = {}
for i = 15, 14 + math.max(0, known_count) do
  known[ARGV[i]] = true
end
local at = 15 + math.max(0, known_count)
while ARGV[at] do
  ends[#ends + 1] = finish(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]))
  at = at + 5
end

-- What a worker held when it died goes first in line; after two deaths a job runs alone, after three it fails.
local function take_over(dead)
  local dead_held = held_key(dead)
  for _, id in ipairs(redis.call('ZREVRANGE', dead_held, 0, -1)) do
    local key = job_key(id)
    local job = redis.call('HMGET', key, 'status', 'owner', 'priority', 'topic')
    if job[1] == 'processing' and job[2] == dead then
      local deaths = redis.call('HINCRBY', key, 'deaths', 1)
      if deaths >= deaths_until_failed then
        failed = failed + 1
        end_job(id, 'failed', 'error', 'Its worker died ' .. deaths .. ' times while running it', now)
        announce('failed', id, job[4] or nil, 'failed', 0, now)
      else
        redis.call('HDEL', key, 'owner', 'progress')
        redis.call('HSET', key, 'status', 'pending')
        if deaths >= deaths_until_alone then
          redis.call('LPUSH', suspects_key, id)
          new_suspects = new_suspects + 1
        else
          enqueue_again(id, job[3], true)
        end
      end
    end
  end
  redis.call('DEL', dead_held)
  redis.call('ZREM', leases_key, dead)
end

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', leases_key, '-inf', '(' .. now)) do
  if dead ~= owner then
    take_over(dead)
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed_key, '-inf', now, 'LIMIT', 0, batch_size)) do
  redis.call('ZREM', delayed_key, id)
  local priority = redis.call('HGET', job_key(id), 'priority')
  if priority then
    redis.call('HSET', job_key(id), 'status', 'pending')
    enqueue_again(id, priority, false)
  end
end

local jobs = {}

local function deliver(id, job)
  jobs[#jobs + 1] = { id, job[1], job[2], job[3], job[4] or '', job[5] or '', job[6] or '' }
end

-- A lost answer: what this worker holds without knowing is given to it again.
if known_count >= 0 then
  for _, id in ipairs(redis.call('ZRANGE', held, 0, -1)) do
    if not known[id] then
      deliver(id, redis.call('HMGET', job_key(id), 'attempts', 'priority', 'created_at', 'options', 'topic', 'data'))
    end
  end
end

-- Held jobs are kept in the order they were started, which is the order they are taken over in.
local started = 0
local function hold(id)
  if started == 0 then
    started = 1024 * redis.call('INCR', base .. ':turns')
  end
  started = started + 1
  redis.call('ZADD', held, started, id)
end

local function start_recorded(id)
  local key = job_key(id)
  local job = redis.call('HMGET', key, 'attempts', 'priority', 'created_at', 'options', 'topic', 'data', 'status')
  if job[7] ~= 'pending' then
    return false
  end
  job[1] = redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HSET', key, 'status', 'processing', 'owner', owner, 'worker_id', worker_name, 'started_at', now)
  hold(id)
  deliver(id, job)
  return true
end

local function start_compact(id, priority, created_at, item)
  local cut = string.find(item, '\n', 1, true)
  local options = string.sub(item, 1, cut - 1)
  local data = string.sub(item, cut + 1)
  redis.call('HSET', job_key(id), 'status', 'processing', 'priority', priority, 'created_at', created_at, 'attempts', 1,
    'data', data, 'options', options, 'owner', owner, 'worker_id', worker_name, 'started_at', now)
  hold(id)
  deliver(id, { 1, priority, created_at, options, '', data })
end

local function claim_again(priority)
  local key = base .. ':again:' .. priority
  local taken = 0
  while #jobs < free do
    local id = redis.call('LPOP', key)
    if not id then
      break
    end
    if start_recorded(id) then
      taken = taken + 1
    end
  end
  return taken
end

-- Takes from one stream entry, beginning at `from`; returns how many it took and where it stopped, nil at the end.
local function claim_entry(priority, entry, from, gone_key)
  local taken = 0
  local fields = entry[2]
  if fields[1] == '@' then
    return start_recorded(fields[2]) and 1 or 0, nil
  end
  local created_at = string.match(entry[1], '^%d+')
  local total = #fields / 2
  while from < total do
    if #jobs >= free then
      return taken, from
    end
    local id = priority .. '-' .. entry[1] .. '-' .. from
    if not gone_key or redis.call('SREM', gone_key, id) == 0 then
      start_compact(id, priority, created_at, fields[2 * from + 2])
      taken = taken + 1
    end
    from = from + 1
  end
  return taken, nil
end

local function claim_stream(priority)
  local key = base .. ':stream:' .. priority
  local gone_key = base .. ':gone:' .. priority
  if redis.call('EXISTS', gone_key) == 0 then
    gone_key = nil
  end
  local current = tonumber(redis.call('HGET', base .. ':current', priority) or '0')
  local first = current
  local taken = 0
  while #jobs < free do
    -- Entries hold one to sixteen jobs: as many as could be used up if they were half full.
    local entries = redis.call('XRANGE', key, '-', '+', 'COUNT', 1 + math.floor((free - #jobs) / 8))
    if #entries == 0 then
      break
    end
    for _, entry in ipairs(entries) do
      local count, stopped = claim_entry(priority, entry, current, gone_key)
      taken = taken + count
      current = stopped or 0
      if not stopped then
        redis.call('XDEL', key, entry[1])
      end
      if #jobs >= free then
        break
      end
    end
  end
  if current ~= first then
    if current > 0 then
      redis.call('HSET', base .. ':current', priority, current)
    else
      redis.call('HDEL', base .. ':current', priority)
    end
  end
  return taken
end

local paused = redis.call('EXISTS', base .. ':paused') == 1
local alone = 0
local left = 0
if not paused and free > #jobs then
  if idle and #jobs == 0 then
    while alone == 0 do
      local id = redis.call('LPOP', suspects_key)
      if not id then
        break
      end
      if start_recorded(id) then
        alone = 1
      end
    end
  end
  local counts = redis.call('HGETALL', waiting_key)
  local order = {}
  for i = 1, #counts, 2 do
    order[#order + 1] = tonumber(counts[i])
    left = left + tonumber(counts[i + 1])
  end
  table.sort(order, function(a, b)
    return a > b
  end)
  if alone == 0 then
    for _, priority in ipairs(order) do
      local taken = claim_again(priority)
      taken = taken + claim_stream(priority)
      if taken > 0 then
        add_to_waiting(priority, -taken)
        left = left - taken
      end
      if #jobs >= free then
        break
      end
    end
  end
end
-- A waiting worker may take what this one left. Jobs that must run alone are told of once: two busy workers would
-- otherwise wake each other without end.
if left > 0 then
  wake(1)
end
wake(new_suspects - alone)

if redis.call('EXISTS', held) == 1 then
  redis.call('ZADD', leases_key, now + lease_ms, owner)
else
  redis.call('ZREM', leases_key, owner)
end
if #jobs < free then
  redis.call('ZADD', idle_key, now + lease_ms, owner)
end
count_ends(completed, failed, processing_ms, now)

local look_again = -1
local function look(at_ms)
  local left_ms = math.max(0, tonumber(at_ms) - now + 1)
  if look_again < 0 or left_ms < look_again then
    look_again = left_ms
  end
end
local due = redis.call('ZRANGE', delayed_key, 0, 0, 'WITHSCORES')
if due[2] then
  look(due[2])
end
local leases = redis.call('ZRANGE', leases_key, 0, 1, 'WITHSCORES')
for i = 1, #leases, 2 do
  if leases[i] ~= owner then
    look(leases[i + 1])
  end
end
return { ends, jobs, alone, redis.call('LLEN', suspects_key), paused and 1 or 0, look_again }
