-- lock/acquire.lua, layout 1
-- Gives the lock, if it is free and nobody came before, with a token above every earlier one. Asked again by its holder,
-- whose answer was lost, it gives the same token.
-- KEYS[1] lock, KEYS[2] order, KEYS[3] leases
-- ARGV[1] member, ARGV[2] leaseMs, ARGV[3] waitMs (0 not to stand in the line), ARGV[4] keepTokenMs
-- Returns {token}, or {'', 1 for the first in line else 0, milliseconds until the lock or the first in line counts as
-- abandoned}
-- include lease.lua
-- include line.lua
local member, lease_ms = ARGV[1], tonumber(ARGV[2])
local line = { order = KEYS[2], leases = KEYS[3] }
local held = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'token')
if is_spoiled(held[1], held[2]) or held[3] and not is_whole(held[3]) then
  return redis.error_reply('WRONGTYPE the end of the lease, or the token, is not a whole number')
end
local ends_at = tonumber(held[2]) or 0
local alive = held[1] and now <= ends_at
local token = tonumber(held[3]) or 0

if not (alive and held[1] == member) then
  local wait = take_turn(line, member, tonumber(ARGV[3]), alive and ends_at)
  if wait then
    return { '', wait[1], wait[2] }
  end
  token = math.max(token + 1, now * 1024)
end
local text = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'holder', member, 'ends_at', now + lease_ms, 'token', text)
redis.call('PEXPIRE', KEYS[1], lease_ms + tonumber(ARGV[4]))
leave_line(line, member)
return { text }
