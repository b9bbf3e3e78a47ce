-- queue/jobs.lua, layout 1
-- What the steps of a queue share. Every script of the queue takes the same first key and arguments.
-- Defines job_key, encode_part, held_key, add_to_waiting, enqueue_again, wake, announce, count_ends, end_job
local base = KEYS[1]
local record_base = ARGV[1]
local stats_base = ARGV[2]
local notice_base = ARGV[3]
-- '' for none, 'framed' for our own channels, 'json' for documented ones.
local notice_format = ARGV[4]
local wake_prefix = ARGV[5]
local wake_topic = ARGV[6]
local keep_completed_ms = tonumber(ARGV[7])
local keep_failed_ms = tonumber(ARGV[8])

local waiting_key = base .. ':waiting'
local delayed_key = base .. ':delayed'
local leases_key = base .. ':leases'
local idle_key = base .. ':idle'
local dead_key = base .. ':dead'

local function job_key(id)
  return record_base .. ':' .. id
end

-- As encodePart in keys.ts, for a part of at most 512 bytes.
local function encode_part(part)
  return (string.gsub(part, '[%%:{}*?%[%]\\^%-%c]', function(character)
    return string.format('%%%02X', string.byte(character))
  end))
end

local function held_key(owner)
  return base .. ':held:' .. owner
end

local function add_to_waiting(priority, count)
  if redis.call('HINCRBY', waiting_key, priority, count) <= 0 then
    -- What is left of this priority was cancelled.
    redis.call('HDEL', waiting_key, priority)
    redis.call('HDEL', base .. ':current', priority)
    redis.call('DEL', base .. ':again:' .. priority, base .. ':gone:' .. priority)
    -- Trimmed and not deleted: a new stream would give ids of this millisecond a second time.
    redis.call('XTRIM', base .. ':stream:' .. priority, 'MAXLEN', 0)
  end
end

local function enqueue_again(id, priority, first)
  redis.call(first and 'LPUSH' or 'RPUSH', base .. ':again:' .. priority, id)
  redis.call('HINCRBY', waiting_key, priority, 1)
end

-- A worker is its process's owner, a colon, and a name of its own.
local function wake_channel(worker)
  return wake_prefix .. string.match(worker, '^[^:]*')
end

-- Names up to `count` waiting workers, those heard of last first, and wakes their processes.
local function wake(count)
  if count <= 0 then
    return
  end
  local picked = redis.call('ZPOPMAX', idle_key, count)
  for i = 1, #picked, 2 do
    redis.call('PUBLISH', wake_channel(picked[i]), wake_topic)
  end
end

-- A stream that another program spoiled must not leave a step half done.
local function tell(channel, body, now)
  pcall(append_message, channel, channel, body, 3600000, 1000, notice_format, now)
end

local function announce(kind, id, topic, status, progress, now)
  if notice_format == '' then
    return
  end
  local notice
  if notice_format == 'json' then
    notice = { type = 'task_' .. kind, task_id = id, user_id = topic or '', status = status }
  else
    notice = { type = kind, job = id, topic = topic or '', status = status }
  end
  notice.progress = progress
  notice.timestamp = now
  local body = cjson.encode(notice)
  tell(notice_base, body, now)
  if topic then
    tell(notice_base .. ':user:' .. encode_part(topic), body, now)
  end
  if notice_format == 'json' then
    redis.call('PUBLISH', notice_base .. ':task:' .. id, body)
  end
end

-- Year, month and day of a UTC time, after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
local function day_of(now)
  local days = math.floor(now / 86400000) + 719468
  local era = math.floor(days / 146097)
  local day_of_era = days - era * 146097
  local year_of_era = math.floor(
    (day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365
  )
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted_month + 2) / 5) + 1
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02d', year, month, day)
end

-- Adds what one step ended to the totals and to the day.
local function count_ends(completed, failed, processing_ms, now)
  if completed == 0 and failed == 0 then
    return
  end
  local day_key = stats_base .. ':daily:' .. day_of(now)
  if completed > 0 then
    redis.call('INCRBY', stats_base .. ':tasks:completed', completed)
    local count = redis.call('HINCRBY', day_key, 'tasks_completed', completed)
    local sum = redis.call('HINCRBY', day_key, 'processing_ms', processing_ms)
    redis.call('HSET', day_key, 'avg_processing_time', math.floor(sum / count + 0.5))
  end
  if failed > 0 then
    redis.call('INCRBY', stats_base .. ':tasks:failed', failed)
    redis.call('HINCRBY', day_key, 'tasks_failed', failed)
  end
  redis.call('PEXPIRE', day_key, 34560000000)
end

-- Writes the end of a job into its record, which then stays for as long as the queue keeps such records.
local function end_job(id, status, field, payload, now)
  local key = job_key(id)
  redis.call('HDEL', key, 'owner')
  local keep_ms = status == 'failed' and keep_failed_ms or keep_completed_ms
  if status == 'failed' then
    redis.call('ZADD', dead_key, now, id)
    redis.call('ZREMRANGEBYSCORE', dead_key, '-inf', now - keep_failed_ms)
  end
  if keep_ms == 0 then
    redis.call('DEL', key)
    return
  end
  if field then
    redis.call('HSET', key, 'status', status, 'completed_at', now, field, payload)
  else
    redis.call('HSET', key, 'status', status, 'completed_at', now)
  end
  redis.call('PEXPIRE', key, keep_ms)
end
