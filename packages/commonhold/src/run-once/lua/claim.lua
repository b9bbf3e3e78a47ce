-- run-once/claim.lua, layout 1
-- Gives the result, or the right to run, to one at a time in the order they came. Asked again by the one that has the
-- right, whose answer was lost, it counts no further attempt.
-- KEYS[1] run, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] waitMs, ARGV[4] keepMs, ARGV[5] fingerprint ('' for none)
-- Returns {'mismatch'} when the run has another fingerprint, {'done', result, member, finishedAtMs}, {'run', attempt} or {'wait', 1 for the first in line else 0, milliseconds
-- until the one that runs or the first in line counts as dead}
-- include ../../lock/lua/lease.lua
-- include ../../lock/lua/line.lua
local member, lease_ms = ARGV[1], tonumber(ARGV[2])
local line = { order = KEYS[2], leases = KEYS[3] }
local run = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'attempts', 'finished_at', 'fingerprint')
local fingerprint = ARGV[5]
if fingerprint ~= '' and run[5] and run[5] ~= fingerprint then
  return { 'mismatch' }
end
local whole = (not run[3] or is_whole(run[3])) and (not run[4] or is_whole(run[4]))
if not whole or not run[4] and is_spoiled(run[1], run[2]) then
  return redis.error_reply('WRONGTYPE a count or a time of the run is not a whole number')
end
if run[4] then
  return { 'done', redis.call('HGET', KEYS[1], 'result'), run[1], run[4] }
end
local ends_at = tonumber(run[2]) or 0
local alive = run[1] and now <= ends_at
local attempts = tonumber(run[3]) or 0

if alive and run[1] == member then
  redis.call('HSET', KEYS[1], 'ends_at', now + lease_ms)
else
  local wait = take_turn(line, member, tonumber(ARGV[3]), alive and ends_at)
  if wait then
    return { 'wait', wait[1], wait[2] }
  end
  attempts = attempts + 1
  redis.call('HSET', KEYS[1], 'holder', member, 'ends_at', now + lease_ms, 'started_at', now, 'attempts', attempts)
  if fingerprint ~= '' then
    redis.call('HSET', KEYS[1], 'fingerprint', fingerprint)
  end
end
redis.call('PEXPIRE', KEYS[1], lease_ms + tonumber(ARGV[4]))
leave_line(line, member)
return { 'run', attempts }
