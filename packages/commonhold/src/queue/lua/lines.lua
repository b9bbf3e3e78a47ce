-- queue/lines.lua, layout 1
-- The lines in which jobs wait, as a step finds them. `waiting` also says, under `closed`, that no job may be added.
-- Defines read_lines(), is_gone(line, id)

-- The lines with jobs that wait, highest priority first. Looks at every key of each, and so at its type.
local function read_lines()
  local lines = {}
  local counts = redis.call('HGETALL', base .. ':waiting')
  for i = 1, #counts, 2 do
    local priority = counts[i]
    if priority ~= 'closed' then
      redis.call('XLEN', base .. ':stream:' .. priority)
      lines[#lines + 1] = {
        priority = priority,
        waiting = tonumber(counts[i + 1]),
        again = redis.call('LLEN', base .. ':again:' .. priority),
        has_gone = redis.call('HLEN', base .. ':gone:' .. priority) > 0,
        taken_of_first = tonumber(redis.call('HGET', base .. ':current', priority) or '0'),
      }
    end
  end
  table.sort(lines, function(a, b)
    return tonumber(a.priority) > tonumber(b.priority)
  end)
  return lines
end

-- Whether a job was cancelled after this reference to it was put into the stream. Its id may have been added again since:
-- each mark stands for one reference.
local function is_gone(line, id)
  if not line.has_gone then
    return false
  end
  local gone_key = base .. ':gone:' .. line.priority
  local marks = tonumber(redis.call('HGET', gone_key, id) or '0')
  if marks > 1 then
    redis.call('HINCRBY', gone_key, id, -1)
  elseif marks == 1 then
    redis.call('HDEL', gone_key, id)
  end
  return marks > 0
end
