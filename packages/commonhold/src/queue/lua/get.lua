-- queue/get.lua, layout 1
-- Reads one job: its record, or its place in a stream.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] id
-- Returns the record as names and values, empty when there is no such job
-- include ../../channel/lua/append.lua
-- include jobs.lua
local record = redis.call('HGETALL', job_key(ARGV[9]))
if #record > 0 then
  return record
end
local priority, entry_id, index = string.match(ARGV[9], '^(%d+)%-(%d+%-%d+)%-(%d+)$')
if not priority then
  return {}
end
local entry = redis.call('XRANGE', base .. ':stream:' .. priority, entry_id, entry_id)[1]
local item = entry and entry[2][2 * tonumber(index) + 2]
if not item or entry[2][1] == '@' or redis.call('SISMEMBER', base .. ':gone:' .. priority, ARGV[9]) == 1 then
  return {}
end
local first = redis.call('XRANGE', base .. ':stream:' .. priority, '-', '+', 'COUNT', 1)[1]
if first[1] == entry_id and tonumber(index) < tonumber(redis.call('HGET', base .. ':current', priority) or '0') then
  return {}
end
local cut = string.find(item, '\n', 1, true)
return {
  'status', 'pending', 'priority', priority, 'created_at', (string.match(entry_id, '^%d+')), 'attempts', '0',
  'options', string.sub(item, 1, cut - 1), 'data', string.sub(item, cut + 1),
}
