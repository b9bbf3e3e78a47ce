-- owners/renew.lua, layout 1
-- Renews an owner's lease, or lets it come, and buries those whose lease has ended.
-- KEYS[1] owners
-- ARGV[1] owner, ARGV[2] leaseMs, ARGV[3] whether to bury the dead (1 or 0)
-- Returns {kept, nextEndMs or -1}: whether the owner was known and so holds what it held, when the next lease of another ends
-- include owners.lua
local owner = ARGV[1]
local kept = redis.call('EXISTS', owner_key(owner))
local lease = tonumber(redis.call('ZSCORE', live, owner) or 0)
-- Frees nothing, but comes first: the rest then also runs when memory is full.
redis.call('ZREM', live, '')
redis.call('ZADD', live, string.format('%.0f', now + tonumber(ARGV[2])), owner)
if kept == 0 then
  redis.call('HSET', owner_key(owner), 's', string.format('%.0f', now))
  tell('{"type":"came","owner":' .. cjson.encode(owner) .. '}')
end
extend(owner)
-- A lease is renewed long before it ends. Where ours has ended, the clock may have made a step, and others need a beat too.
local late = lease > 0 and lease < now
if ARGV[3] == '1' and not late then
  local dead = redis.call('ZRANGEBYSCORE', live, '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, 10)
  for _, other in ipairs(dead) do
    bury(other)
  end
end
local next_end = -1
local others = redis.call('ZRANGE', live, 0, 1, 'WITHSCORES')
for i = 1, #others, 2 do
  if others[i] ~= owner and next_end < 0 and not late then
    next_end = math.max(0, tonumber(others[i + 1]) + 1 - now)
  end
end
return { kept, next_end }
