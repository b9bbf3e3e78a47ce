-- owners/take-over.lua, layout 1
-- Gives an orphaned name to an owner.
-- KEYS[1] owners
-- ARGV[1] owner, ARGV[2] name
-- Returns 'taken', 'held' (the owner holds it already), 'none' (it is no orphan) or 'unknown' (the owner is not known)
-- include owners.lua
local owner, name = ARGV[1], ARGV[2]
if redis.call('EXISTS', owner_key(owner)) == 0 then
  return 'unknown'
end
if redis.call('HEXISTS', orphans, name) == 1 then
  hold(owner, name)
  return 'taken'
end
return redis.call('HEXISTS', owner_key(owner), 'h.' .. name) == 1 and 'held' or 'none'
