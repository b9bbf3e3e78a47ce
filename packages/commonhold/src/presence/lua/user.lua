-- presence/user.lua, layout 1
-- The members of a user that are present.
-- KEYS[1] presence
-- ARGV[1] user
-- Returns a list of {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}
-- include space.lua
local user = ARGV[1]
local found = {}
-- From `user` and the line break behind it to just before what comes after a line break.
local entries = redis.call('ZRANGEBYLEX', users, '[' .. user .. '\n', '(' .. user .. '\11')
for _, entry in ipairs(entries) do
  local member = find(string.sub(entry, #user + 2))
  if member and member.user == user and is_present(member) then
    found[#found + 1] = describe(member, ends_at(member))
  end
end
return found
