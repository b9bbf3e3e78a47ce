-- presence/members.lua, layout 1
-- The members of some regions that are present, a page at a time, in the order in which their silence becomes too long.
-- KEYS[1] presence
-- ARGV[1] after which time to begin in the first region ('' for the beginning), ARGV[2] most, ARGV[3...] regions
-- Returns {members, skip, after}: each {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}; how many regions are
-- done with, -1 for all; after which time to go on
-- include space.lua
local found = {}
local room = tonumber(ARGV[2])

-- At most `room` ids and scores with all others of the last millisecond, which it returns if there may be more.
local function page(key, from)
  local last = redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', room - 1, 1)[2]
  return redis.call('ZRANGEBYSCORE', key, from, last or '+inf', 'WITHSCORES'), last
end

for at = 3, #ARGV do
  local region = ARGV[at]
  local from = now
  if at == 3 and ARGV[1] ~= '' then
    from = math.max(now, tonumber(ARGV[1]) + 1)
  end
  local entries, last = page(region_key(region), string.format('%.0f', from))
  for i = 1, #entries, 2 do
    local member = find(entries[i])
    if member and member.region == region and is_held(member.seat) then
      found[#found + 1] = describe(member, tonumber(entries[i + 1]))
    end
  end
  if last then
    return { found, at - 3, last }
  end
  room = room - #entries / 2
end
return { found, -1, '' }
