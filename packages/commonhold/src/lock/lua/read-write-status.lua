-- lock/read-write-status.lua, layout 1
-- Says how many read, how many wait, and who writes.
-- KEYS[1] lock, KEYS[2] readers, KEYS[3] leases
-- Returns {how many read, how many wait}, and {..., member, token, milliseconds left of the lease} while one writes
-- include read-write-line.lua
local writer, ends_at, token, spoiled = writer_of(KEYS[1])
if spoiled then
  return redis.error_reply('WRONGTYPE the end of the lease, or the token, is not a whole number')
end
local status = { redis.call('ZCOUNT', KEYS[2], now, '+inf'), redis.call('ZCOUNT', KEYS[3], now, '+inf') }
if writer then
  return { status[1], status[2], writer, token, ends_at - now }
end
return status
