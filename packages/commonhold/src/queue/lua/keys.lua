-- queue/keys.lua, layout 1
-- Names of a queue's keys, from the key and the arguments that every script of the queue is given first.
-- Defines base, compact_key, job_key(id), held_key(worker), topic_key(topic), encode_part(part)
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
-- Jobs of groups that wait without a record: number -> priority, colon and group, options, data, parted by line feeds.
local compact_key = base .. ':compact'

local function job_key(id)
  return record_base .. ':' .. id
end

local function held_key(worker)
  return base .. ':held:' .. worker
end

-- As encodePart in keys.ts, for a part of at most 512 bytes.
local function encode_part(part)
  return (string.gsub(part, '[%%:{}*?%[%]\\^%c]', function(character)
    return string.format('%%%02X', string.byte(character))
  end))
end

local function topic_key(topic)
  return base .. ':topic:' .. encode_part(topic)
end
