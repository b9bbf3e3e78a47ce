-- queue/line.lua, layout 1
-- The line of one priority: a list of jobs that wait again, and behind it a stream of fresh ones.
-- Defines call_many(command, key, items), line_of(priority), clear_line(priority), add_to_waiting(priority, count), enqueue_again(id, priority, group, first)
-- include uses.lua
-- include group.lua
-- include index.lua

-- Lua takes no more than some thousand arguments at once.
local function call_many(command, key, items)
  for first = 1, #items, 1000 do
    redis.call(command, key, unpack(items, first, math.min(first + 999, #items)))
  end
end

-- A record that another program wrote to may say anything.
local function line_of(priority)
  return string.match(priority or '', '^%d$') or string.match(priority or '', '^10$') or '5'
end

-- For a line in which no job waits. References to cancelled jobs may still stand in it.
local function clear_line(priority)
  redis.call('HDEL', base .. ':waiting', priority)
  redis.call('HDEL', base .. ':current', priority)
  redis.call('DEL', base .. ':again:' .. priority, base .. ':gone:' .. priority)
  -- Trimmed and not deleted: a new stream would give ids of this millisecond a second time.
  redis.call('XTRIM', base .. ':stream:' .. priority, 'MAXLEN', 0)
end

local function add_to_waiting(priority, count)
  if redis.call('HINCRBY', base .. ':waiting', priority, count) <= 0 then
    clear_line(priority)
  end
end

local function enqueue_again(id, priority, group, first)
  if group and push_to_group(id, priority, group, 'again', first) then
    return
  end
  redis.call(first and 'LPUSH' or 'RPUSH', base .. ':again:' .. priority, id)
  redis.call('HINCRBY', base .. ':waiting', priority, 1)
end
