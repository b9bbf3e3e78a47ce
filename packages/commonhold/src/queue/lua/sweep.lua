-- queue/sweep.lua, layout 1
-- Looks at some of the jobs that ended, oldest first, and sends again or removes those that are meant. No data is read.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] cursor ('' to begin), ARGV[10] most to look at
-- ARGV[11] change (retry or remove), ARGV[12] status, ARGV[13] topic, ARGV[14] group, ARGV[15] workerName, ARGV[16] createdFromMs
-- ARGV[17] createdToMs, ARGV[18] endedFromMs, ARGV[19] endedToMs, ARGV[20] olderThanMs, ARGV[21...] names and texts of fields
-- Returns {changed, cursor or '' when done}
-- include keys.lua
-- include wake.lua
-- include line.lua
-- include record.lua
-- include resend.lua
-- include filter.lua
local cursor = ARGV[9]
local most = tonumber(ARGV[10])
local change = ARGV[11]
local changed = 0

local function visit(id)
  local job = read_meant(id)
  if not job then
    return
  end
  if change == 'retry' then
    resend(id, line_of(job[7]), job[3], job[2])
  else
    forget(id, job[2])
  end
  changed = changed + 1
end

-- Returns the set to walk through, and whether its order is that in which jobs ended.
local function choose()
  local by_field = smallest_field()
  if by_field then
    return by_field, false
  elseif wanted.topic ~= '' then
    return topic_key(wanted.topic), false
  end
  return wanted.status == 'failed' and base .. ':dead' or status_key(wanted.status), true
end

local key, by_end = choose()

-- Where the step begins: after the job that the step before ended with, or where that stood, should it be gone or have ended
-- again since.
local function first_place(score, id)
  if not score then
    return 0
  end
  if tonumber(redis.call('ZSCORE', key, id) or '-1') == tonumber(score) then
    return redis.call('ZRANK', key, id) + 1
  end
  return redis.call('ZCOUNT', key, '-inf', '(' .. score)
end

-- Jobs that end after the first step are left alone, so that there is an end. Returns the cursor of the next step.
local function sweep()
  local began_at, score, last = string.match(cursor, '^(%d+)%-(%d+)%-(.+)$')
  local until_ms = tonumber(began_at) or now
  local place = first_place(score, last)
  local found = redis.call('ZRANGE', key, place, place + most - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if by_end and tonumber(found[i + 1]) > until_ms then
      return ''
    end
    visit(found[i])
  end
  return #found < 2 * most and '' or string.format('%.0f-%s-%s', until_ms, found[#found], found[#found - 1])
end

-- Everything is looked at before the first write: Redis does not roll back.
check_resend()
redis.call('ZCARD', key)
local next_cursor = sweep()
if change == 'retry' then
  wake(changed)
end
return { changed, next_cursor }
