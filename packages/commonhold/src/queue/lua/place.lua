-- queue/place.lua, layout 1
-- Finds a job that waits without a record, by its id: priority, stream entry, and place in it.
-- Defines find_compact(id)

-- Returns priority, time of adding, options and data; nothing when no such job waits.
local function find_compact(id)
  local priority, ms, sequence, index = string.match(id, '^(%d%d?)%-(%d+)%-(%d+)%-(%d%d?)$')
  -- A longer number is no id of a stream, and XRANGE would fail over it. A leading zero would make a second id.
  if not priority or #ms > 15 or #sequence > 15 or string.find('-' .. id, '%-0%d') then
    return
  end
  local stream = base .. ':stream:' .. priority
  local entry_id = ms .. '-' .. sequence
  local entry = redis.call('XRANGE', stream, entry_id, entry_id)[1]
  local item = entry and entry[2][1] ~= '@' and entry[2][2 * tonumber(index) + 2]
  if not item or redis.call('HEXISTS', base .. ':gone:' .. priority, id) == 1 then
    return
  end
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local taken = tonumber(redis.call('HGET', base .. ':current', priority) or '0')
  if first[1] == entry_id and tonumber(index) < taken then
    return
  end
  local cut = string.find(item, '\n', 1, true)
  return priority, ms, string.sub(item, 1, cut - 1), string.sub(item, cut + 1)
end
