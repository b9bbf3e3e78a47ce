-- queue/list.lua, layout 1
-- Reads the jobs of a topic, newest first, with their records.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] topic, ARGV[10] status ('' for any)
-- ARGV[11] cursor ('' for the first page), ARGV[12] limit
-- Returns {cursor or '', {{id, record}...}}
-- include keys.lua
-- include page.lua
local topic, status, limit = ARGV[9], ARGV[10], tonumber(ARGV[12])
local most_looked_at = 2000
local step = 100
local max = ARGV[11] == '' and '+inf' or '(' .. ARGV[11]
local looked_at = 0
repeat
  local found = redis.call('ZREVRANGEBYSCORE', topic_key(topic), max, '-inf', 'WITHSCORES', 'LIMIT', 0, step)
  for i = 1, #found, 2 do
    add_to_page(found[i], topic, status)
    max = '(' .. found[i + 1]
    looked_at = looked_at + 1
    if is_full(limit) or looked_at >= most_looked_at then
      return { found[i + 1], page.jobs }
    end
  end
until #found < 2 * step
return { '', page.jobs }
