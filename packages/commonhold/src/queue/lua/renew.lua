-- queue/renew.lua, layout 1
-- Keeps a worker's lease and says which of the jobs it runs are not its own any more.
-- KEYS[1] queue
-- ARGV[1] recordBase, ARGV[2] statsBase, ARGV[3] noticeBase, ARGV[4] noticeFormat, ARGV[5] wakePrefix, ARGV[6] wakeTopic
-- ARGV[7] keepCompletedMs, ARGV[8] keepFailedMs, ARGV[9] owner, ARGV[10] leaseMs
-- ARGV[11...] held ids
-- Returns the ids of those that are not held by the owner
-- include keys.lua
local owner = ARGV[9]
local lost = {}
for i = 11, #ARGV do
  if not redis.call('ZSCORE', held_key(owner), ARGV[i]) then
    lost[#lost + 1] = ARGV[i]
  end
end
if redis.call('EXISTS', held_key(owner)) == 1 then
  -- The first write frees, so that the step also runs when memory is full.
  redis.call('ZREM', base .. ':leases', owner)
  redis.call('ZADD', base .. ':leases', now + tonumber(ARGV[10]), owner)
end
return lost
