-- presence/members.lua, layout 1
-- The members of some regions that are present.
-- KEYS[1] presence
-- ARGV[1...] regions
-- Returns a list of {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}
-- include space.lua
local found = {}
for _, region in ipairs(ARGV) do
  local ids = redis.call('ZRANGEBYSCORE', region_key(region), string.format('%.0f', now), '+inf', 'WITHSCORES')
  for i = 1, #ids, 2 do
    local member = find(ids[i])
    if member and member.region == region and is_held(member.seat) then
      found[#found + 1] = describe(member, tonumber(ids[i + 1]))
    end
  end
end
return found
