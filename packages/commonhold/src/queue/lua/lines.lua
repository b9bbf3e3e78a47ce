-- queue/lines.lua, layout 1
-- The lines in which jobs wait, as a step finds them. `waiting` holds their numbers by priority, for the jobs of groups after
-- a `g`; and says, under `closed`, that no job may be added.
-- Defines read_lines(), read_group(priority, group), is_gone(line, id)

local function read_line(priority)
  redis.call('XLEN', base .. ':stream:' .. priority)
  return {
    priority = priority,
    name = priority,
    waiting = 0,
    again = redis.call('LLEN', base .. ':again:' .. priority),
    has_gone = redis.call('HLEN', base .. ':gone:' .. priority) > 0,
    taken_of_first = tonumber(redis.call('HGET', base .. ':current', priority) or '0'),
  }
end

-- The lines with jobs that wait, highest priority first. Looks at every key of each, and so at its type.
local function read_lines()
  local lines = {}
  local by_priority = {}
  local counts = redis.call('HGETALL', base .. ':waiting')
  uses_groups, uses_index = false, false
  for i = 1, #counts, 2 do
    local of_groups, priority = string.match(counts[i], '^(g?)(%d+)$')
    if priority then
      local line = by_priority[priority]
      if not line then
        line = read_line(priority)
        by_priority[priority] = line
        lines[#lines + 1] = line
      end
      line[of_groups == 'g' and 'in_groups' or 'waiting'] = tonumber(counts[i + 1])
    end
    uses_groups = uses_groups or counts[i] == 'grouped'
    uses_index = uses_index or counts[i] == 'indexed'
  end
  table.sort(lines, function(a, b)
    return tonumber(a.priority) > tonumber(b.priority)
  end)
  return lines
end

-- The line of a group, as far as it can be read: what another program put there must not stop a step in the middle.
local function read_group(priority, group)
  local name = group_line(priority, group)
  local gone = redis.pcall('HLEN', base .. ':gone:' .. name)
  return {
    name = name,
    again_key = base .. ':again:' .. name,
    fresh_key = base .. ':fresh:' .. name,
    gone_key = base .. ':gone:' .. name,
    has_gone = type(gone) == 'number' and gone > 0,
  }
end

-- Whether a job was cancelled after this reference to it was put into the line. Its id may have been added again since:
-- each mark stands for one reference.
local function is_gone(line, id)
  if not line.has_gone then
    return false
  end
  local gone_key = base .. ':gone:' .. line.name
  local marks = tonumber(redis.call('HGET', gone_key, id) or '0')
  if marks > 1 then
    redis.call('HINCRBY', gone_key, id, -1)
  elseif marks == 1 then
    redis.call('HDEL', gone_key, id)
  end
  return marks > 0
end
