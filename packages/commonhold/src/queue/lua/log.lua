-- queue/log.lua, layout 1
-- Appends lines to the log of a running job, which stands in its record and keeps the last lines only.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] owner, ARGV[10] id, ARGV[11] attempt, ARGV[12] mostLines
-- ARGV[13] mostBytes, ARGV[14...] lines
-- Returns 1, or 0 when it is not this attempt of this owner any more
-- include keys.lua
local key = job_key(ARGV[10])
local most_lines, most_bytes = tonumber(ARGV[12]), tonumber(ARGV[13])
local job = redis.call('HMGET', key, 'status', 'attempts', 'owner', 'log')
if job[1] ~= 'processing' or job[2] ~= ARGV[11] or job[3] ~= ARGV[9] then
  return 0
end
local lines = {}
for line in string.gmatch(job[4] or '', '[^\n]+') do
  lines[#lines + 1] = line
end
for i = 14, #ARGV do
  lines[#lines + 1] = string.format('%.0f ', now) .. ARGV[i]
end
local first = #lines + 1
local bytes = 0
while first > 1 and #lines - first + 1 < most_lines and bytes + #lines[first - 1] < most_bytes do
  first = first - 1
  bytes = bytes + #lines[first] + 1
end
redis.call('HSET', key, 'log', table.concat(lines, '\n', first))
return 1
