-- lock/status.lua, layout 1
-- Says who holds a lock and how many wait for it.
-- KEYS[1] lock, KEYS[2] leases
-- Returns {how many wait}, or {how many wait, member, token, milliseconds left of the lease}
-- include lease.lua
local held = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'token')
if is_spoiled(held[1], held[2]) then
  return redis.error_reply('WRONGTYPE the end of the lease is not a whole number')
end
local waiting = redis.call('ZCOUNT', KEYS[2], now, '+inf')
local ends_at = tonumber(held[2]) or 0
if held[1] and now <= ends_at then
  return { waiting, held[1], held[3], ends_at - now }
end
return { waiting }
