-- rate-limit/reset.lua, layout 1
-- Forgets what a subject used, and its block. Who remembers a refusal is told.
-- KEYS[1...] keys (the block, then the meters)
-- ARGV[1] channel, ARGV[2] subject
-- Returns 1 when there was anything, 0 otherwise
local existed = 0
for _, key in ipairs(KEYS) do
  existed = existed + redis.call('DEL', key)
end
if existed > 0 then
  redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return existed > 0 and 1 or 0
