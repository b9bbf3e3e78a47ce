-- owners/restore.lua, layout 1
-- An owner that was thought dead, or whose data was lost, holds again what it held, but for what others took over.
-- KEYS[1] owners
-- ARGV[1] owner, ARGV[2...] names
-- Returns the names that others took over; false when the owner is not known and nothing was done
-- include owners.lua
local owner = ARGV[1]
if redis.call('EXISTS', owner_key(owner)) == 0 then
  return false
end
local lost = {}
for i = 2, #ARGV do
  if redis.call('SISMEMBER', taken_key(owner), ARGV[i]) == 1 then
    lost[#lost + 1] = ARGV[i]
  else
    hold(owner, ARGV[i])
  end
end
return lost
