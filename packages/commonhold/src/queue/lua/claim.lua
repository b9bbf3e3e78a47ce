-- queue/claim.lua, layout 1
-- Takes jobs that wait: of the highest priority first, within it those that wait again, then fresh ones; in turn with the
-- groups, where there are any.
-- Defines claimed, start_recorded(id), hand_over_all(), check_lines(), claim_all(lines)

-- What goes to the worker: for each job a head and its data; and what it holds from now on, as scores and ids.
local claimed = { jobs = {}, holds = {}, count = 0, bytes = 0, alone = 0 }
-- An answer must arrive within its deadline, whatever the jobs weigh.
local most_bytes = 1048576

local function has_room()
  return claimed.count < allowed and claimed.bytes < most_bytes
end

-- The parts of a head stand on lines of their own, the topic last since it may hold line feeds. A group stands behind the
-- priority.
local function hand_out(id, attempt, priority, created_at, options, topic, data)
  local count = claimed.count + 1
  claimed.count = count
  claimed.bytes = claimed.bytes + #data
  claimed.jobs[2 * count - 1] =
    id .. '\n' .. attempt .. '\n' .. priority .. '\n' .. created_at .. '\n' .. options .. '\n' .. topic
  claimed.jobs[2 * count] = data
end

-- Held jobs are kept in the order they were started, which is the order they are taken over in.
local function hold(id)
  local holds = claimed.holds
  holds[#holds + 1] = 4096 * number + claimed.count
  holds[#holds + 1] = id
end

local function read_job(id)
  return redis.pcall('HMGET', job_key(id), 'status', 'attempts', 'priority', 'created_at', 'options', 'topic', 'data',
    'deaths', 'group')
end

local function hand_out_recorded(id, job, attempt)
  local priority = job[9] and line_of(job[3]) .. ':' .. job[9] or line_of(job[3])
  hand_out(id, attempt, priority, job[4] or '', job[5] or '', job[6] or '', job[7] or '')
end

local function start_recorded(id)
  local job = read_job(id)
  if job.err then
    spoiled(id)
    return false
  end
  if job[1] ~= 'pending' then
    return false
  end
  local attempt = (tonumber(job[2]) or 0) + 1
  redis.call('HSET', job_key(id), 'status', 'processing', 'attempts', attempt, 'owner', owner, 'worker_id', worker_name,
    'started_at', now)
  if job[9] then
    note_running(id, job[9])
  end
  move_in_index(id, 'pending', 'processing')
  hand_out_recorded(id, job, attempt)
  hold(id)
  return true
end

local function start_compact(id, priority, created_at, options, data, group)
  redis.call('HSET', job_key(id), 'status', 'processing', 'attempts', 1, 'priority', priority, 'created_at', created_at,
    'options', options, 'data', data, 'owner', owner, 'worker_id', worker_name, 'started_at', now)
  if group then
    redis.call('HSET', job_key(id), 'group', group)
    note_running(id, group)
  end
  hand_out(id, 1, group and priority .. ':' .. group or priority, created_at, options, '', data)
  hold(id)
end

-- After a lost answer: what the worker holds without knowing is given to it once more.
local function hand_over_all()
  local known = {}
  for i = 17, ends_at - 1 do
    known[ARGV[i]] = true
  end
  for _, id in ipairs(redis.call('ZRANGE', held_key(owner), 0, -1)) do
    local job = not known[id] and claimed.bytes < most_bytes and read_job(id)
    if job and not job.err and job[1] == 'processing' then
      hand_out_recorded(id, job, job[2])
      claimed.alone = (tonumber(job[8]) or 0) >= deaths_until_alone and 1 or claimed.alone
    end
  end
end

-- Looks at every key that a job may go back to, and so at its type.
local function check_lines()
  redis.call('HLEN', base .. ':current')
  for priority = 0, 10 do
    redis.call('XLEN', base .. ':stream:' .. priority)
    redis.call('LLEN', base .. ':again:' .. priority)
    redis.call('HLEN', base .. ':gone:' .. priority)
  end
end

local function claim_again(line)
  while line.again > 0 and has_room() do
    local id = redis.call('LPOP', base .. ':again:' .. line.priority)
    line.again = line.again - 1
    if start_recorded(id) then
      line.waiting = line.waiting - 1
    end
  end
end

-- Takes from one stream entry, after the jobs that were taken of it before. Returns whether it is used up.
local function claim_entry(line, entry)
  local fields = entry[2]
  if fields[1] == '@' then
    if not is_gone(line, fields[2]) and start_recorded(fields[2]) then
      line.waiting = line.waiting - 1
    end
    return true
  end
  local created_at = string.match(entry[1], '^%d+')
  for index = line.taken_of_first, #fields / 2 - 1 do
    if not has_room() then
      line.taken_of_first = index
      return false
    end
    local id = line.priority .. '-' .. entry[1] .. '-' .. index
    if not is_gone(line, id) then
      local item = fields[2 * index + 2]
      local cut = string.find(item, '\n', 1, true)
      start_compact(id, line.priority, created_at, string.sub(item, 1, cut - 1), string.sub(item, cut + 1))
      line.waiting = line.waiting - 1
    end
  end
  line.taken_of_first = 0
  return true
end

-- Returns the ids of the entries that are used up, and whether the stream may hold more.
local function claim_stream(line)
  local used = {}
  local from = '-'
  while has_room() do
    -- Entries hold one to sixteen jobs: as many as could be used up if they were half full.
    local most = 1 + math.floor((allowed - claimed.count) / 8)
    local entries = redis.call('XRANGE', base .. ':stream:' .. line.priority, from, '+', 'COUNT', most)
    for _, entry in ipairs(entries) do
      if not has_room() or not claim_entry(line, entry) then
        return used, true
      end
      used[#used + 1] = entry[1]
      from = '(' .. entry[1]
    end
    if #entries < most then
      return used, false
    end
  end
  return used, true
end

local function claim_line(line)
  local taken_before, waiting_before = line.taken_of_first, line.waiting
  claim_again(line)
  local used, more = claim_stream(line)
  if not more then
    -- Whatever was counted, nothing waits here: a record that was deleted by hand leaves its job counted.
    line.waiting = 0
    clear_line(line.priority)
    return
  end
  call_many('XDEL', base .. ':stream:' .. line.priority, used)
  if line.taken_of_first ~= taken_before then
    redis.call('HSET', base .. ':current', line.priority, line.taken_of_first)
  end
  if line.waiting ~= waiting_before then
    add_to_waiting(line.priority, line.waiting - waiting_before)
  end
end

-- The same for up to `most` jobs.
local function claim_ungrouped(line, most)
  local allowed_in_all = allowed
  allowed = math.min(allowed, claimed.count + most)
  claim_line(line)
  allowed = allowed_in_all
end
-- include take-turns.lua

local function claim_all(lines)
  for _, line in ipairs(lines) do
    if has_room() and line.in_groups then
      claim_in_turns(line)
    end
    if has_room() and (line.waiting > 0 or not line.in_groups) then
      claim_line(line)
    end
  end
end
