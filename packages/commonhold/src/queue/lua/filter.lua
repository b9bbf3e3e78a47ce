-- queue/filter.lua, layout 1
-- Which jobs are meant: read from the arguments that search and sweep have in common, from ARGV[12] on, '' for any.
-- Defines wanted, read_meant(id), smallest_field()
local wanted = {
  status = ARGV[12],
  topic = ARGV[13],
  group = ARGV[14],
  worker = ARGV[15],
  created_from = tonumber(ARGV[16]) or -math.huge,
  created_to = tonumber(ARGV[17]) or math.huge,
  ended_from = tonumber(ARGV[18]),
  ended_to = tonumber(ARGV[19]),
}
if tonumber(ARGV[20]) > 0 then
  wanted.ended_to = math.min(wanted.ended_to or math.huge, now - tonumber(ARGV[20]))
end
wanted.fields = {}
for at = 21, #ARGV, 2 do
  wanted.fields[#wanted.fields + 1] = field_key(ARGV[at], ARGV[at + 1])
end

local function is_within(text, from, to)
  local value = tonumber(text)
  return value and value >= (from or -math.huge) and value <= (to or math.huge)
end

local function has_ended_in_time(completed_at)
  return not (wanted.ended_from or wanted.ended_to) or is_within(completed_at, wanted.ended_from, wanted.ended_to)
end

local function has_fields(id)
  for _, key in ipairs(wanted.fields) do
    local score = redis.pcall('ZSCORE', key, id)
    if type(score) ~= 'string' then
      return false
    end
  end
  return true
end

-- Of the record only what is looked at is read, never its data. Returns it when the job is meant.
local function read_meant(id)
  local job = redis.pcall('HMGET', job_key(id), 'status', 'topic', 'group', 'worker_id', 'created_at', 'completed_at',
    'priority')
  if job.err or not job[1] or (wanted.status ~= '' and job[1] ~= wanted.status) then
    return nil
  end
  local alike = (wanted.topic == '' or job[2] == wanted.topic) and (wanted.group == '' or job[3] == wanted.group)
    and (wanted.worker == '' or job[4] == wanted.worker)
  local in_time = is_within(job[5], wanted.created_from, wanted.created_to) and has_ended_in_time(job[6])
  return alike and in_time and has_fields(id) and job or nil
end

-- The field that the fewest jobs have, nil where none is asked for.
local function smallest_field()
  local smallest, fewest
  for _, key in ipairs(wanted.fields) do
    local count = redis.call('ZCARD', key)
    if not fewest or count < fewest then
      smallest, fewest = key, count
    end
  end
  return smallest
end
