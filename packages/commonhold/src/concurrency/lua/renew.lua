-- concurrency/renew.lua, layout 1
-- Lets a holder's lease begin anew.
-- KEYS[1] slots
-- ARGV[1] member, ARGV[2] leaseMs
-- Returns 1, or 0 when the member holds no slot
local ends_at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends_at or now > tonumber(ends_at) then
  return 0
end
-- What takes no memory comes first, so that the step also runs when memory is full.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return 1
