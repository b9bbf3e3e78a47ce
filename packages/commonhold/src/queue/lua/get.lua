-- queue/get.lua, layout 1
-- Reads one job: its record, or its place in a stream.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] id
-- Returns the record as names and values, empty when there is no such job
-- include keys.lua
-- include place.lua
local record = redis.call('HGETALL', job_key(ARGV[9]))
if #record > 0 then
  return record
end
local priority, created_at, options, data, group = find_compact(ARGV[9])
if not priority then
  return {}
end
return {
  'status', 'pending', 'priority', priority, 'created_at', created_at, 'attempts', '0', 'options', options, 'data', data,
  group and 'group', group,
}
