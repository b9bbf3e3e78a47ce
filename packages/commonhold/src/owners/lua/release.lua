-- owners/release.lua, layout 1
-- Says that an owner no longer holds a name, because it is done with it.
-- KEYS[1] owners
-- ARGV[1] owner, ARGV[2] name
-- Returns 1, or 0 when it did not hold it
-- include owners.lua
return release(ARGV[1], ARGV[2])
