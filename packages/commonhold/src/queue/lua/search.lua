-- queue/search.lua, layout 1
-- Reads the jobs that are meant, newest first: by when they came into their status where only that is asked for, else by when they were
-- added. Looks at no more than some thousand, and reads the data of none but those it returns.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] cursor ('' for the first page), ARGV[10] limit, ARGV[11] change ('' for none)
-- ARGV[12] status, ARGV[13] topic, ARGV[14] group, ARGV[15] workerName, ARGV[16] createdFromMs, ARGV[17] createdToMs
-- ARGV[18] endedFromMs, ARGV[19] endedToMs, ARGV[20] olderThanMs, ARGV[21...] names and texts of fields in turn
-- Returns {cursor or '', {{id, record}...}}
-- include keys.lua
-- include uses.lua
-- include index.lua
-- include filter.lua
-- include page.lua
local limit = tonumber(ARGV[10])
local most_looked_at = 2000
local step = 100
local has_ended = wanted.status == 'completed' or wanted.status == 'failed' or wanted.status == 'cancelled'

-- Returns the set to walk through, and between which scores.
local function choose()
  local by_field = smallest_field()
  if by_field or wanted.status == '' then
    return by_field or created_key, wanted.created_from, wanted.created_to
  elseif has_ended then
    return status_key(wanted.status), wanted.ended_from or -math.huge, wanted.ended_to or math.huge
  end
  return status_key(wanted.status), -math.huge, math.huge
end

local key, lowest, highest = choose()

-- Where the page begins: after the job that the page before ended with, or where that stood, should it be gone or elsewhere.
local function first_place(cursor)
  local score, id = string.match(cursor, '^(%d+)%-(.+)$')
  if score then
    if tonumber(redis.call('ZSCORE', key, id) or '-1') == tonumber(score) then
      return redis.call('ZREVRANK', key, id) + 1
    end
    return redis.call('ZCOUNT', key, '(' .. score, '+inf')
  end
  return highest == math.huge and 0 or redis.call('ZCOUNT', key, '(' .. string.format('%.0f', highest), '+inf')
end

local place = first_place(ARGV[9])
local looked_at = 0
repeat
  local found = redis.call('ZREVRANGE', key, place, place + step - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) < lowest then
      return { '', page.jobs }
    end
    if read_meant(found[i]) then
      add_to_page(found[i], '', '')
    end
    looked_at = looked_at + 1
    if is_full(limit) or looked_at >= most_looked_at then
      return { found[i + 1] .. '-' .. found[i], page.jobs }
    end
  end
  place = place + step
until #found < 2 * step
return { '', page.jobs }
