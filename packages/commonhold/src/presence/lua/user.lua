-- presence/user.lua, layout 1
-- The members of a user that are present.
-- KEYS[1] presence
-- ARGV[1] user
-- Returns a list of {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}
-- include space.lua
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', user_key(ARGV[1]))) do
  local member = find(id)
  if member and member.user == ARGV[1] and is_present(member) then
    found[#found + 1] = describe(member, ends_at(member))
  end
end
return found
