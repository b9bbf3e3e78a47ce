-- rate-limit/block.lua, layout 1
-- Has every hit of a subject refused for a time, in place of an earlier block. Who remembers a refusal is told.
-- KEYS[1] block
-- ARGV[1] durationMs, ARGV[2] channel, ARGV[3] subject
-- Returns 1
local life = string.format('%.0f', math.max(1, tonumber(ARGV[1]) - 1))
redis.call('SET', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), 'PX', life)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
