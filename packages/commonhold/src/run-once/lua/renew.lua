-- run-once/renew.lua, layout 1
-- Lets the lease of the one that runs begin anew.
-- KEYS[1] run
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] keepMs
-- Returns 1, also when its result is kept already, or 0 when the member does not run
local run = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'finished_at')
if run[3] then
  return run[1] == ARGV[1] and 1 or 0
end
if run[1] ~= ARGV[1] or now > (tonumber(run[2]) or 0) then
  return 0
end
-- What takes no memory comes first, so that the step also runs when memory is full.
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'ends_at', now + tonumber(ARGV[2]))
return 1
