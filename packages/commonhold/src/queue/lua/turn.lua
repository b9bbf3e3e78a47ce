-- queue/turn.lua, layout 1
-- One trip of a worker: hand in what ended, take over from dead workers, promote what falls due, claim what is free.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] owner, ARGV[10] workerName, ARGV[11] leaseMs, ARGV[12] number
-- ARGV[13] free, ARGV[14] idle (1 or 0), ARGV[15] number of known ids (-1 when no answer was lost)
-- ARGV[16] limits ('' or most running, most starts, window in ms and most running in a group, 0 for none)
-- ARGV[17...] known ids, then ended jobs, each as id, attempt, kind, payload, delayMs
-- Returns {refused, jobs, alone, waitingForIdle, paused, lookAgainMs or -1, waitingWorkers, cut, now}: the places, from 1,
-- of refused ends, and for each job a head and its data; false for a turn that comes after a later one
local owner = ARGV[9]
local worker_name = ARGV[10]
local lease_ms = tonumber(ARGV[11])
local number = tonumber(ARGV[12])
local free = tonumber(ARGV[13])
-- How many of them the limits of the queue leave.
local allowed = free
local idle = ARGV[14] == '1'
local answer_lost = ARGV[15] ~= '-1'
local ends_at = 17 + math.max(0, tonumber(ARGV[15]))
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include notice.lua
-- include record.lua
-- include finish.lua
-- include take-over.lua
-- include limits.lua
-- include due.lua
-- include lines.lua
-- include place.lua
-- include claim.lua
-- include alone.lua
local turn_key = base .. ':turn:' .. owner
local idle_key = base .. ':idle'
local leases_key = base .. ':leases'

-- What comes after a later turn was given up by its worker, which would not learn what it holds.
if number <= tonumber(redis.call('GET', turn_key) or '0') then
  return false
end

-- Everything is looked at before the first write: Redis does not roll back, and a key of another type fails here.
redis.call('ZCARD', idle_key)
redis.call('ZCARD', held_key(owner))
local paused = redis.call('EXISTS', base .. ':paused') == 1
local suspects = count_suspects()
local dead = read_dead()
local due = read_due()
local lines = read_lines()
read_limits()
local problem, returns = check_ends_given()
if ARGV[ends_at] or #dead > 0 or #due > 0 then
  problem = problem or check_totals()
end
if returns or #dead > 0 or #due > 0 then
  check_lines()
end
if has_groups() then
  check_rings()
end
if has_index() then
  check_index()
end
if problem then
  return problem
end

-- The first write frees, so that the step also runs when memory is full.
redis.call('ZREM', idle_key, owner)
redis.call('SET', turn_key, ARGV[12], 'PX', 600000)
local refused = finish_all()
take_over_all(dead)
promote_all(due)
if done.enqueued then
  lines = read_lines()
end
if answer_lost then
  hand_over_all()
end

local handed_over = claimed.count
local capacity = count_capacity()
allowed = math.min(free, capacity)
suspects = count_runnable(suspects + done.suspected)
local drains = false
if not paused and has_room() then
  if idle and claimed.count == 0 and suspects > 0 then
    claim_alone()
    suspects = count_runnable(redis.call('LLEN', suspects_key))
  end
  drains = must_drain(suspects)
  if claimed.alone == 0 and not drains then
    claim_all(lines)
  end
end
call_many('ZADD', held_key(owner), claimed.holds)
local started = claimed.count - handed_over
note_starts(started)
count_ends(done.completed, done.failed, done.processing_ms)
forget_expired()

-- One worker is woken for what this one leaves, and wakes the next. Jobs that must run alone are told of once: two busy
-- workers would otherwise wake each other without end.
local left = 0
for _, line in ipairs(lines) do
  left = left + line.waiting + count_ready(line)
end
if left > 0 and not paused and capacity > started then
  wake(1)
end
wake(done.suspected - claimed.alone)

if redis.call('EXISTS', held_key(owner)) == 1 then
  redis.call('ZADD', leases_key, now + lease_ms, owner)
else
  redis.call('ZREM', leases_key, owner)
end
local cut = claimed.bytes >= most_bytes or was_cut_short()
local waiting_workers = 0
if claimed.count < free and claimed.alone == 0 and not drains and not cut then
  redis.call('ZADD', idle_key, now + lease_ms, owner)
  -- Workers that were not heard of for as long as a lease are gone.
  redis.call('ZREMRANGEBYSCORE', idle_key, '-inf', '(' .. now)
  waiting_workers = redis.call('ZCARD', idle_key)
end
local waiting_for_idle = (idle or drains) and suspects or 0
return {
  refused,
  claimed.jobs,
  claimed.alone,
  waiting_for_idle,
  paused and 1 or 0,
  look_again_ms(),
  waiting_workers,
  cut and 1 or 0,
  now,
}
