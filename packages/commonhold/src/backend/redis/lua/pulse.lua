-- redis/pulse.lua, layout 1
-- Counts a pulse of one process, which proves that the server takes writes, and shows whether it still has what it had.
-- KEYS[1] epoch
-- ARGV[1] owner, ARGV[2] id for a new epoch, ARGV[3] id known, ARGV[4] tick known, ARGV[5] whether the server must remember the owner (1 or 0)
-- Returns {id, tick, id before a rollback, processes}
local owner, fresh, known = ARGV[1], ARGV[2], ARGV[3]
local processes = KEYS[1] .. ':processes'
-- As long as a process counts as alive, and as long as its last tick is remembered.
local lease_ms, memory_ms = 12000, 3600000
local id, before, tick, own = unpack(redis.call('HMGET', KEYS[1], 'id', 'before', 'tick', 'p.' .. owner))
-- Others may have counted on since a rollback: only what is known of one's own pulse shows it.
local seen = tonumber(own or (ARGV[5] == '1' and 0) or tick or 0)
if not id then
  id, before = fresh, ''
elseif id == known and seen < tonumber(ARGV[4]) then
  id, before = fresh, id
end
tick = string.format('%.0f', tonumber(tick or 0) + 1)
redis.call('HSET', KEYS[1], 'id', id, 'before', before or '', 'tick', tick, 'p.' .. owner, tick)
redis.call('ZADD', processes, string.format('%.0f', now), owner)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', processes, '-inf', string.format('(%.0f', now - memory_ms), 'LIMIT', 0, 100)) do
  redis.call('ZREM', processes, gone)
  redis.call('HDEL', KEYS[1], 'p.' .. gone)
end
local alive = redis.call('ZCOUNT', processes, string.format('%.0f', now - lease_ms), '+inf')
return { id, redis.call('HGET', KEYS[1], 'tick'), before or '', alive }
