-- cache/claim.lua, layout 1
-- Takes the value, or the right to compute it, or says how long another process may still hold that right.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] token, ARGV[2] leaseMs, ARGV[3] owner, ARGV[4] freshMs (a value that lives no longer than this is computed anew)
-- Returns {'value', value}, {'compute'}, or {'wait' or, after a failure, 'held', milliseconds left of the lease}
-- include fresh.lua
local value = redis.pcall('GET', KEYS[1])
-- An error, since the key is of another type: as good as absent, until the computed value takes its place.
if type(value) == 'table' then
  value = false
end
if value and (ARGV[4] == '0' or is_fresh(KEYS[1], ARGV[4])) then
  return { 'value', value }
end
if redis.call('HSETNX', KEYS[2], 'token', ARGV[1]) == 1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return { 'compute' }
end
redis.call('HSET', KEYS[2], 'owner:' .. ARGV[3], '')
local state = redis.call('HGET', KEYS[2], 'token') == '!' and 'held' or 'wait'
return { state, redis.call('PTTL', KEYS[2]) }
