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
-- include answer.lua
local blocked = block_left(KEYS[1])
local meters = read_meters(2, 2)
if not blocked or not meters then
  return redis.error_reply('WRONGTYPE the units used are not what a limiter writes')
end
local allowed = blocked == 0
for _, meter in ipairs(meters) do
  if meter.used + weight * meter.unit > meter.capacity then
    allowed = false
  end
end
if not allowed then
  return answer(false, blocked, meters, weight)
end

local function add_to_grains(grains, grain_ms)
  local last = grains[#grains]
  if last and whole_floor(last.at, grain_ms) == whole_floor(now, grain_ms) then
    last.units, last.at = last.units + weight, now
  else
    table.insert(grains, { units = weight, at = now })
  end
end

for _, meter in ipairs(meters) do
  meter.used = meter.used + weight * meter.unit
  if meter.grains then
    add_to_grains(meter.grains, meter.refill)
  end
  store(meter)
end
return answer(true, 0, meters, weight)
