-- run-once/forget.lua, layout 1
-- Removes a result, and the count of attempts. What runs now is left alone.
-- KEYS[1] run
-- Returns 1 when there was a result, 0 otherwise
local run = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'finished_at')
if not run[3] and run[1] and now <= (tonumber(run[2]) or 0) then
  return 0
end
redis.call('DEL', KEYS[1])
return run[3] and 1 or 0
