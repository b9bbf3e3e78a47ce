-- queue/sweep.lua, layout 1
-- Looks at some of the jobs that ended, oldest first, and sends again or removes those that are meant. No data is read.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] change (retry or remove), ARGV[10] status
-- ARGV[11] topic ('' for all failed jobs), ARGV[12] olderThanMs, ARGV[13] cursor ('' to begin), ARGV[14] most to look at
-- Returns {changed, cursor or '' when done}
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
-- include resend.lua
local change, status, topic, cursor = ARGV[9], ARGV[10], ARGV[11], ARGV[13]
local ended_until = now - tonumber(ARGV[12])
local most = tonumber(ARGV[14])
local changed = 0

local function visit(id)
  local job = redis.pcall('HMGET', job_key(id), 'status', 'topic', 'completed_at', 'priority', 'group')
  if job.err or job[1] ~= status or (topic ~= '' and job[2] ~= topic) or (tonumber(job[3]) or math.huge) > ended_until then
    return
  end
  if change == 'retry' then
    resend(id, line_of(job[4]), job[5], job[2])
  else
    forget(id, job[2])
  end
  changed = changed + 1
end

-- Returns the cursor of the next step.
local function sweep_topic()
  local found = redis.call('ZRANGEBYSCORE', topic_key(topic), cursor == '' and '-inf' or '(' .. cursor, '+inf',
    'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #found, 2 do
    visit(found[i])
  end
  return #found < 2 * most and '' or found[#found]
end

-- The same for all failed jobs. Those that fail after the first step are left alone, so that there is an end.
local function sweep_failed()
  local began_at, failed_at, last = string.match(cursor, '^(%d+)%-(%d+)%-(.+)$')
  local until_ms = tonumber(began_at) or now
  local place = 0
  if last then
    local rank = redis.call('ZRANK', base .. ':dead', last)
    place = rank and rank + 1 or redis.call('ZCOUNT', base .. ':dead', '-inf', '(' .. failed_at)
  end
  local found = redis.call('ZRANGE', base .. ':dead', place, place + most - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) > until_ms then
      return ''
    end
    visit(found[i])
  end
  return #found < 2 * most and '' or string.format('%.0f-%s-%s', until_ms, found[#found], found[#found - 1])
end

-- Everything is looked at before the first write: Redis does not roll back.
check_resend()
if topic ~= '' then
  redis.call('ZCARD', topic_key(topic))
end
local next_cursor = topic == '' and sweep_failed() or topic ~= '' and sweep_topic()
if change == 'retry' then
  wake(changed)
end
return { changed, next_cursor }
