-- queue/await.lua, layout 1
-- Reads a job that has ended, or notes who is to be told of its end.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] id, ARGV[10] owner
-- Returns the record as names and values, {} when the job has not ended, false when there is none
-- include keys.lua
-- include place.lua
-- include awaited.lua
local id, owner = ARGV[9], ARGV[10]
local most_owners = 64
local lives_ms = 60000
local status = redis.call('HGET', job_key(id), 'status')
if not status and not find_compact(id) then
  return false
end
if status == 'completed' or status == 'failed' or status == 'cancelled' then
  return redis.call('HGETALL', job_key(id))
end
-- Last come, first kept: those before were noted long ago, or look again by themselves.
local owners = { owner }
for other in string.gmatch(redis.call('HGET', awaited_key, id) or '', '[^\n]+') do
  if other ~= owner and #owners < most_owners then
    owners[#owners + 1] = other
  end
end
redis.call('HSET', awaited_key, id, table.concat(owners, '\n'))
redis.call('PEXPIRE', awaited_key, lives_ms)
return {}
