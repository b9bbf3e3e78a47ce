-- queue/dead-letters.lua, layout 1
-- Reads the jobs that failed for good, newest first, with their records.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] cursor ('' for the first page), ARGV[10] limit
-- Returns {cursor or '', {{id, record}...}}
-- include keys.lua
-- include page.lua
local dead_key = base .. ':dead'
local limit = tonumber(ARGV[10])
local most_looked_at = 2000
local step = 100

-- Where the page begins: after the job that the page before ended with, or where that stood.
local function first_place(cursor)
  local failed_at, id = string.match(cursor, '^(%d+)%-(.+)$')
  if not failed_at then
    return 0
  end
  local place = redis.call('ZREVRANK', dead_key, id)
  return place and place + 1 or redis.call('ZCOUNT', dead_key, '(' .. failed_at, '+inf')
end

local place = first_place(ARGV[9])
local looked_at = 0
local oldest = now - keep_failed_ms
repeat
  local found = redis.call('ZREVRANGE', dead_key, place, place + step - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) < oldest then
      return { '', page.jobs }
    end
    add_to_page(found[i], '', 'failed')
    looked_at = looked_at + 1
    if is_full(limit) or looked_at >= most_looked_at then
      return { found[i + 1] .. '-' .. found[i], page.jobs }
    end
  end
  place = place + step
until #found < 2 * step
return { '', page.jobs }
