-- cache/claim.lua, layout 1
-- Takes the value, or the right to compute it, or says how long another process may still hold that right.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] token, ARGV[2] leaseMs, ARGV[3] owner
-- Returns {'value', value}, {'compute'} or {'wait', milliseconds left of the lease}
local value = redis.call('GET', KEYS[1])
if value then
  return { 'value', value }
end
if redis.call('HSETNX', KEYS[2], 'token', ARGV[1]) == 1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return { 'compute' }
end
redis.call('HSET', KEYS[2], 'owner:' .. ARGV[3], '')
return { 'wait', redis.call('PTTL', KEYS[2]) }
