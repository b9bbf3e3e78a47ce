-- session/revoke-all.lua, layout 1
-- Revokes every session of one user, or every one but one, readable or not.
-- KEYS[1] index
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound)
-- ARGV[8] exceptId ('' for none)
-- Returns how many there were
-- include record.lua
-- include index.lua
prune(KEYS[1])
local revoked = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= ARGV[8] then
    if redis.call('EXISTS', base .. id) == 1 then
      bury(base .. id, 'revoked', tombstone_ms)
      revoked = revoked + 1
    end
    redis.call('ZREM', KEYS[1], id)
  end
end
return revoked
