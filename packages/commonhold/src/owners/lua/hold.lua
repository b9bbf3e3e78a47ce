-- owners/hold.lua, layout 1
-- Says that an owner holds a name.
-- KEYS[1] owners
-- ARGV[1] owner, ARGV[2] name
-- Returns 1, or 0 when the owner is not known and nothing was done
-- include owners.lua
if redis.call('EXISTS', owner_key(ARGV[1])) == 0 then
  return 0
end
hold(ARGV[1], ARGV[2])
return 1
