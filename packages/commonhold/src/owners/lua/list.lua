-- owners/list.lua, layout 1
-- The owners that are alive, and what each holds.
-- KEYS[1] owners
-- Returns a list of {owner, leaseEndMs, fields and values}
-- include owners.lua
local found = {}
local alive = redis.call('ZRANGEBYSCORE', live, string.format('%.0f', now), '+inf', 'WITHSCORES')
for i = 1, #alive, 2 do
  found[#found + 1] = { alive[i], alive[i + 1], redis.call('HGETALL', owner_key(alive[i])) }
end
return found
