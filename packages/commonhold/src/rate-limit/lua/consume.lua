-- rate-limit/consume.lua, layout 1
-- Counts a hit under every rule, if the subject is not blocked and the hit fits under each.
-- KEYS[1] block, KEYS[2...] meters
-- ARGV[1] weight, ARGV[2...] rules (kind, capacity, unit, refill, milliseconds of each)
-- Returns {1 admitted or 0 refused, now, milliseconds blocked, then of each rule: units left, milliseconds until empty,
-- milliseconds until the hit fits}
local weight = tonumber(ARGV[1])

-- What nearly every hit is: a fixed window, no block, room. In half the time of the way of all others, which also answers
-- for whatever does not look like that. Numbers below 1e14 are written whole without a format.
local function consume_one()
  local call, text = redis.call, redis.call('GET', KEYS[2])
  if call('GET', KEYS[1]) then
    return nil
  end
  local capacity, every = tonumber(ARGV[3]), tonumber(ARGV[6])
  local used, since, since_text = weight, now, now
  if text then
    local units, at = string.match(text, '^([1-9]%d*)@(%d+)$')
    since = at and #units < 15 and #at < 15 and tonumber(at)
    if not since or since > now or now - since >= every then
      return nil
    end
    used, since_text = weight + units, at
  end
  if used > capacity or used >= 1e14 then
    return nil
  end
  local reset = since + every - now
  call('SET', KEYS[2], used .. '@' .. since_text, 'PX', math.max(1, reset - 1))
  return { 1, now, 0, capacity - used, reset, 0 }
end

local consumed = #KEYS == 2 and ARGV[2] == 'fixed-window' and consume_one()
if consumed then
  return consumed
end
-- include hit.lua
local reply = count_hit(KEYS[1], 2, 2, weight)
return reply or redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
