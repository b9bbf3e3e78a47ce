-- lock/renew.lua, layout 1
-- Lets the holder's lease begin anew.
-- KEYS[1] lock
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] keepTokenMs
-- Returns 1, or 0 when the member does not hold the lock
local held = redis.call('HMGET', KEYS[1], 'holder', 'ends_at')
if held[1] ~= ARGV[1] or now > (tonumber(held[2]) or 0) then
  return 0
end
-- What takes no memory comes first, so that the step also runs when memory is full.
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'ends_at', now + tonumber(ARGV[2]))
return 1
