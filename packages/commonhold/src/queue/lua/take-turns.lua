-- queue/take-turns.lua, layout 1
-- The groups of one priority, and the jobs without one, each give one job in turn. What a step costs depends on the jobs it
-- takes, not on how many groups there are.
-- Defines held_back, was_cut_short(), room_in_group(group), claim_in_turns(line), count_ready(line)

-- Groups one of whose jobs must run alone: it waits for others of its group to end, so no more of them are started.
local held_back = {}
-- Places of cancelled jobs that one step passes over at most.
local most_passed = 1000
local passed = 0

local function was_cut_short()
  return passed >= most_passed
end

local function room_in_group(group)
  if most_in_group == 0 then
    return math.huge
  end
  return most_in_group - tonumber(redis.call('HGET', running_key, group) or '0')
end

-- The next id in the line of a group, '' for the place of a cancelled job, nil at its end; and what waited without a record.
local function next_in_group(own, priority)
  local again = redis.pcall('LPOP', own.again_key)
  if type(again) == 'string' then
    return again
  end
  local fresh = redis.pcall('LPOP', own.fresh_key)
  if type(fresh) ~= 'string' then
    return nil
  end
  local id = string.match(fresh, '^@(.+)$')
  if id then
    return is_gone(own, id) and '' or id
  end
  local item = redis.call('HGET', compact_key, fresh)
  if not item then
    return ''
  end
  redis.call('HDEL', compact_key, fresh)
  return priority .. '-g' .. fresh, item
end

-- Returns whether a job was started; nil when the line has no more.
local function start_in_group(own, priority)
  while not was_cut_short() do
    local id, item = next_in_group(own, priority)
    if not id then
      return nil
    end
    local _, created_at, options, data, group
    if item then
      _, created_at, options, data, group = split_compact(id, item)
    end
    if group then
      start_compact(id, priority, created_at, options, data, group)
      return true
    elseif not item and id ~= '' and start_recorded(id) then
      return true
    end
    passed = passed + 1
  end
  return false
end

local function claim_of_group(line, group)
  local room = room_in_group(group)
  if room <= 0 then
    return park(line.priority, group)
  end
  local own = read_group(line.priority, group)
  local started = start_in_group(own, line.priority)
  if started then
    line.in_groups = line.in_groups - 1
    room = room - 1
  end
  if started == nil or redis.call('EXISTS', own.again_key, own.fresh_key) == 0 then
    redis.call('DEL', own.gone_key)
  elseif room == 0 then
    park(line.priority, group)
  else
    redis.call('RPUSH', ring_key(line.priority), group)
  end
end

-- Jobs of the ring that could be started now, were there room.
local function count_ready(line)
  return line.in_groups and math.max(0, redis.call('LLEN', ring_key(line.priority)) - 1 - (line.held_back or 0)) or 0
end

local function claim_in_turns(line)
  local ring = ring_key(line.priority)
  local in_groups_before = line.in_groups
  local not_now = {}
  while has_room() and not was_cut_short() do
    local group = redis.call('LPOP', ring)
    if not group then
      break
    elseif group == '' then
      if line.waiting > 0 then
        claim_ungrouped(line, 1)
      end
      if redis.call('EXISTS', ring) == 1 then
        redis.call('RPUSH', ring, '')
      end
    elseif held_back[group] then
      not_now[#not_now + 1] = group
    else
      claim_of_group(line, group)
    end
  end
  for _, group in ipairs(not_now) do
    join_ring(line.priority, group)
  end
  line.held_back = #not_now
  if redis.call('EXISTS', ring, parked_key) == 0 then
    -- Whatever was counted, nothing waits here.
    line.in_groups = nil
    redis.call('HDEL', base .. ':waiting', 'g' .. line.priority)
  elseif line.in_groups ~= in_groups_before then
    redis.call('HINCRBY', base .. ':waiting', 'g' .. line.priority, line.in_groups - in_groups_before)
  end
end
