-- session/revoke-all.lua, layout 1
-- Revokes every session of one user, or every one but one, readable or not.
-- KEYS[1] index
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- ARGV[10] exceptId ('' for none)
-- Returns how many there were
-- include record.lua
-- include index.lua
prune(KEYS[1])
local kept = ARGV[10] ~= '' and follow(base .. ARGV[10], ARGV[10])
local revoked = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= kept then
    if redis.call('EXISTS', base .. id) == 1 then
      bury(base .. id, 'revoked', tombstone_ms)
      revoked[#revoked + 1] = id
    end
    redis.call('ZREM', KEYS[1], id)
  end
end
if #revoked > 0 then
  tell('revoked ' .. table.concat(revoked, ' '))
end
return #revoked
