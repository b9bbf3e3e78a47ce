-- presence/get.lua, layout 1
-- One member that is present.
-- KEYS[1] presence
-- ARGV[1] id
-- Returns {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}, or false
-- include space.lua
local member = find(ARGV[1])
if member and is_present(member) then
  return describe(member, ends_at(member))
end
return false
