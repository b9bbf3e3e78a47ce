-- owners/leave.lua, layout 1
-- An owner goes, as it says itself. What it still holds becomes an orphan.
-- KEYS[1] owners
-- ARGV[1] owner
-- Returns 1, or 0 when the owner was not known
-- include owners.lua
if redis.call('EXISTS', owner_key(ARGV[1])) == 0 then
  return 0
end
bury(ARGV[1])
return 1
