-- run-once/get.lua, layout 1
-- Says how a run stands.
-- KEYS[1] run
-- Returns {'done', result, member, finishedAtMs}, {'running', member, attempt, startedAtMs} or {'absent'}
-- include ../../lock/lua/lease.lua
local run = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'attempts', 'started_at', 'finished_at', 'result')
if run[5] and not is_whole(run[5]) or not run[5] and is_spoiled(run[1], run[2]) then
  return redis.error_reply('WRONGTYPE a time of the run is not a whole number')
end
if run[5] then
  return { 'done', run[6], run[1], run[5] }
end
if run[1] and now <= (tonumber(run[2]) or 0) then
  return { 'running', run[1], run[3], run[4] }
end
return { 'absent' }
