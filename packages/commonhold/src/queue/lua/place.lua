-- queue/place.lua, layout 1
-- Finds a job that waits without a record, by its id: priority, stream entry, and place in it.
-- Defines split_compact(id, item), find_compact(id)

-- A job of a group is called after a number, which tells when it was added: priority, time of adding, options, data and group.
local function split_compact(id, item)
  local created_at = string.format('%.0f', math.floor(tonumber(string.match(id, '%d+$')) / 1024))
  local priority, group, options, data = string.match(item, '^(%d+):([^\n]+)\n([^\n]*)\n(.*)$')
  if priority then
    return priority, created_at, options, data, group
  end
end

local function find_in_groups(priority, number, id)
  local item = redis.call('HGET', compact_key, number)
  if item and string.match(item, '^%d+:') == priority .. ':' then
    return split_compact(id, item)
  end
end

-- Returns priority, time of adding, options, data and, if it has one, its group; nothing when no such job waits.
local function find_compact(id)
  local line, number = string.match(id, '^(%d%d?)%-g(%d+)$')
  if line then
    return find_in_groups(line, number, id)
  end
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
