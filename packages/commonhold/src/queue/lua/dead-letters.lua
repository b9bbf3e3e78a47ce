-- queue/dead-letters.lua, layout 1
-- Reads the jobs that failed for good, newest first, with their records.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] cursor ('' for the first page), ARGV[10] limit
-- Returns {cursor or '', {id, record}...}
-- include ../../channel/lua/append.lua
-- include jobs.lua
local start = ARGV[9] == '' and 0 or tonumber(ARGV[9])
local limit = tonumber(ARGV[10])
local ids = redis.call('ZREVRANGEBYSCORE', dead_key, '+inf', now - keep_failed_ms, 'LIMIT', start, limit)
local reply = { #ids == limit and tostring(start + limit) or '' }
for _, id in ipairs(ids) do
  local record = redis.call('HGETALL', job_key(id))
  if #record > 0 then
    reply[#reply + 1] = { id, record }
  end
end
return reply
