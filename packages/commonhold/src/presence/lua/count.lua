-- presence/count.lua, layout 1
-- How many members of a region are present. Only while a process is dead and not buried yet are they looked at one by one.
-- KEYS[1] presence
-- ARGV[1] region
-- Returns the number
-- include space.lua
local from = string.format('%.0f', now)
if redis.call('ZCOUNT', leases, '-inf', '(' .. from) == 0 then
  return redis.call('ZCOUNT', region_key(ARGV[1]), from, '+inf')
end
local count = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', region_key(ARGV[1]), from, '+inf')) do
  local member = find(id)
  if member and is_held(member.seat) then
    count = count + 1
  end
end
return count
