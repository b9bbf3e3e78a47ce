-- queue/list.lua, layout 1
-- Reads the jobs of a topic, newest first, with their records.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs
-- ARGV[9] topic, ARGV[10] status ('' for any), ARGV[11] cursor ('' for the first page), ARGV[12] limit
-- Returns {cursor or '', {id, record}...}
-- include ../../channel/lua/append.lua
-- include jobs.lua
local topic_key = base .. ':topic:' .. encode_part(ARGV[9])
local status = ARGV[10]
local limit = tonumber(ARGV[12])
local max = ARGV[11] == '' and '+inf' or '(' .. ARGV[11]
local reply = { '' }
local looked_at = 0
local most_looked_at = 2000
while true do
  local page = redis.call('ZREVRANGEBYSCORE', topic_key, max, '-inf', 'WITHSCORES', 'LIMIT', 0, 100)
  if #page == 0 then
    return reply
  end
  for i = 1, #page, 2 do
    local record = redis.call('HGETALL', job_key(page[i]))
    max = '(' .. page[i + 1]
    looked_at = looked_at + 1
    local found
    for j = 1, #record, 2 do
      if record[j] == 'status' then
        found = record[j + 1]
      end
    end
    if found and (status == '' or found == status) then
      reply[#reply + 1] = { page[i], record }
    end
    if #reply > limit or looked_at >= most_looked_at then
      reply[1] = page[i + 1]
      return reply
    end
  end
end
