-- lock/read-write-line.lua, layout 1
-- What the scripts of a lock for readers and writers share. A member is its process's owner, a colon, `read-` or `write-`, and
-- an id. Includes line.lua and lease.lua.
-- Defines is_writer(member), writer_of(key), take_shared_turn(line, member, wait_ms, busy_until), wake_next(line, wake_prefix, topic, readers, by_writer)
-- include lease.lua
-- include line.lua

local function is_writer(member)
  return string.find(member, '^[^:]*:write%-') ~= nil
end

-- The writer whose lease is not over, when that ends, and the token, or nil, nil and the token; and whether they were spoiled.
local function writer_of(key)
  local held = redis.call('HMGET', key, 'writer', 'ends_at', 'token')
  local spoiled = is_spoiled(held[1], held[2]) or held[3] and not is_whole(held[3])
  local ends_at = tonumber(held[2]) or 0
  if held[1] and now <= ends_at then
    return held[1], ends_at, held[3], spoiled
  end
  return nil, nil, held[3], spoiled
end

-- The first writer that stands before `member`, or anywhere where that does not stand in the line.
local function writer_before(line, member)
  local from = 0
  repeat
    local some = redis.call('ZRANGE', line.order, from, from + 99)
    for _, standing in ipairs(some) do
      if standing == member then
        return nil
      end
      -- One without a lease counts as dead: see first_of.
      if is_writer(standing) and redis.call('ZSCORE', line.leases, standing) then
        return standing
      end
    end
    from = from + 100
  until #some < 100
  return nil
end

-- As take_turn, for one that only writers keep from its turn.
local function take_shared_turn(line, member, wait_ms, busy_until)
  drop_dead(line, member)
  local before = writer_before(line, member)
  if not busy_until and not before then
    return nil
  end
  local gone_at = busy_until or tonumber(redis.call('ZSCORE', line.leases, before))
  if wait_ms > 0 then
    stand_in(line, member, wait_ms)
  end
  return { first_of(line) == member and 1 or 0, gone_at - now }
end

-- Wakes a writer that stands first, once nobody reads; or all readers that stand before the next writer, if it was a writer
-- who left: readers that leave keep no others waiting.
local function wake_next(line, wake_prefix, topic, readers, by_writer)
  drop_dead(line)
  local first = first_of(line)
  if not first or (is_writer(first) and readers > 0) or not (is_writer(first) or by_writer) then
    return
  end
  if is_writer(first) then
    return wake_first(line, wake_prefix, topic)
  end
  local from = 0
  repeat
    local some = redis.call('ZRANGE', line.order, from, from + 99)
    for _, standing in ipairs(some) do
      if is_writer(standing) then
        return
      end
      local owner, id = string.match(standing, '^([^:]*):(.*)$')
      redis.call('PUBLISH', wake_prefix .. owner, topic .. id)
    end
    from = from + 100
  until #some < 100
end
