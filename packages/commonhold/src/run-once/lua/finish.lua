-- run-once/finish.lua, layout 1
-- Keeps the result of the one that ran, and wakes all who wait for it. A lease that is over does no harm while nobody has
-- taken over: still only one has run.
-- KEYS[1] run, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] keepMs, ARGV[3] wakePrefix, ARGV[4] topic, ARGV[5] result
-- Returns {'kept'}, {'done', result, member, finishedAtMs} of another that finished, or {'lost'}
local run = redis.call('HMGET', KEYS[1], 'holder', 'finished_at', 'result')
if run[2] then
  return run[1] == ARGV[1] and { 'kept' } or { 'done', run[3], run[1], run[2] }
end
if run[1] ~= ARGV[1] then
  return { 'lost' }
end
local waiting = redis.call('ZRANGE', KEYS[2], 0, -1)
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], 'ends_at', 'started_at')
redis.call('HSET', KEYS[1], 'result', ARGV[5], 'finished_at', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for _, member in ipairs(waiting) do
  local owner, id = string.match(member, '^([^:]*):(.*)$')
  redis.call('PUBLISH', ARGV[3] .. owner, ARGV[4] .. id)
end
return { 'kept' }
