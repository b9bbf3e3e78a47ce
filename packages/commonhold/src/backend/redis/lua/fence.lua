-- redis/fence.lua, layout 1
-- Stands before a script that is called with a guard, and ends it where a later holder of the lock has been. The last key is
-- the fence, a string of the largest token seen; the last three arguments are how long to keep it, how much of that must be
-- left, and the token. Writes nothing while the token is known and has time left: see guard.ts.
-- Defines fence_token
local fence_token = table.remove(ARGV)
local fence_renew_ms = tonumber(table.remove(ARGV))
local fence_keep_ms = table.remove(ARGV)
local fence_key = table.remove(KEYS)
local fence_stored = redis.call('GET', fence_key)
if fence_stored and tonumber(fence_stored) > tonumber(fence_token) then
  return redis.error_reply('STALEGUARD a later holder of the lock has been here')
end
if fence_stored ~= fence_token or redis.call('PTTL', fence_key) < fence_renew_ms then
  redis.call('SET', fence_key, fence_token, 'PX', fence_keep_ms)
end
