-- presence/count.lua, layout 1
-- How many members of a region are present. Only while a process is dead and not buried yet are they looked at one by one, a
-- page at a time.
-- KEYS[1] presence
-- ARGV[1] region, ARGV[2] after which time to begin ('' for the beginning), ARGV[3] most to look at
-- Returns {number, after}: after which time to go on, '' for nothing more
-- include space.lua
local key = region_key(ARGV[1])
local from = ARGV[2] == '' and now or math.max(now, tonumber(ARGV[2]) + 1)
local from_text = string.format('%.0f', from)
if redis.call('ZCOUNT', leases, '-inf', '(' .. string.format('%.0f', now)) == 0 then
  return { redis.call('ZCOUNT', key, from_text, '+inf'), '' }
end
local most = tonumber(ARGV[3])
local upto = redis.call('ZRANGEBYSCORE', key, from_text, '+inf', 'WITHSCORES', 'LIMIT', most - 1, 1)[2] or ''
local count = 0
-- With all others of the last millisecond.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, from_text, upto == '' and '+inf' or upto)) do
  local member = find(id)
  if member and is_held(member.seat) then
    count = count + 1
  end
end
return { count, upto }
