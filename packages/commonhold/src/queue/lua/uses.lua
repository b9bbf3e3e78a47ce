-- queue/uses.lua, layout 1
-- What a queue ever made use of. The hash of counts says so, under `grouped` and `indexed`, which costs a step no command of
-- its own; others do not pay for it.
-- Defines uses_groups, uses_index, has_groups(), has_index()
local uses_groups
local uses_index

local function read_uses()
  local found = redis.call('HMGET', base .. ':waiting', 'grouped', 'indexed')
  uses_groups, uses_index = found[1] and true, found[2] and true
end

local function has_groups()
  if uses_groups == nil then
    read_uses()
  end
  return uses_groups
end

local function has_index()
  if uses_index == nil then
    read_uses()
  end
  return uses_index
end
