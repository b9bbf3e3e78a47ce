-- session/list.lua, layout 1
-- Reads the live sessions of one user, and drops from the index what is gone.
-- KEYS[1] index
-- ARGV[1] base, ARGV[2] idleMs, ARGV[3] absoluteMs, ARGV[4] rememberMs, ARGV[5] tombstoneMs
-- ARGV[6] maxBytes, ARGV[7] maxPerUser (0 without bound), ARGV[8] whenFull, ARGV[9] channel
-- Returns {id, fields and values} for each
-- include record.lua
-- include index.lua
prune(KEYS[1])
local sessions = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = base .. id
  local kind = redis.call('TYPE', key).ok
  if kind == 'none' then
    redis.call('ZREM', KEYS[1], id)
  elseif kind == 'hash' then
    local why, _, flat = find(key)
    if not why then
      sessions[#sessions + 1] = { id, flat }
    end
  end
end
return sessions
