-- rate-limit/meters.lua, layout 1
-- What a subject used under each of its rules: `<used>@<since>` in a bucket, `<units>@<at>` for each grain of a sliding
-- window. A rule is five arguments: kind, capacity, unit, refill (of a sliding window its grain) and milliseconds.
-- Defines whole_floor(dividend, divisor), whole_ceil(dividend, divisor), read_meters(first_key, first_argument), until_fits(meter, weight), until_empty(meter), remaining(meter), store(meter), block_left(key)

-- Exact for whole numbers up to 2^53, where the operator % and a division are not.
local function whole_floor(dividend, divisor)
  return (dividend - math.fmod(dividend, divisor)) / divisor
end

local function whole_ceil(dividend, divisor)
  local rest = math.fmod(dividend, divisor)
  return (dividend - rest) / divisor + (rest > 0 and 1 or 0)
end

-- Empty for what no limiter wrote: nobody knows how much was used. Where the server's clock went back, it came now.
local function parse(text)
  local parts = {}
  for part in string.gmatch(text, '[^ ]+') do
    local units, at = string.match(part, '^([1-9]%d*)@(%d+)$')
    if not units or #units > 16 or #at > 16 then
      return {}
    end
    parts[#parts + 1] = { units = tonumber(units), at = math.min(tonumber(at), now) }
  end
  return parts
end

local function read_bucket(meter, state)
  meter.used, meter.since = 0, now
  if not state then
    return
  end
  local steps = whole_floor(now - state.at, meter.every)
  if steps < whole_ceil(state.units, meter.refill) then
    meter.used = state.units - steps * meter.refill
    meter.since = state.at + steps * meter.every
  end
end

local function read_window(meter, parts)
  meter.used, meter.grains = 0, {}
  for _, grain in ipairs(parts) do
    if now - grain.at < meter.every then
      meter.used = meter.used + grain.units
      table.insert(meter.grains, grain)
    end
  end
end

-- Nil where a key holds something else.
local function read_meters(first_key, first_argument)
  local meters = {}
  for index = first_key, #KEYS do
    local at = first_argument + (index - first_key) * 5
    local meter = {
      key = KEYS[index],
      capacity = tonumber(ARGV[at + 1]),
      unit = tonumber(ARGV[at + 2]),
      refill = tonumber(ARGV[at + 3]),
      every = tonumber(ARGV[at + 4]),
    }
    local text = redis.call('GET', meter.key)
    local parts = text and parse(text) or {}
    local sliding = ARGV[at] == 'sliding-window'
    if text and #parts == 0 or #parts > 1 and not sliding then
      return nil
    end
    if sliding then
      read_window(meter, parts)
    else
      read_bucket(meter, parts[1])
    end
    meters[#meters + 1] = meter
  end
  return meters
end

-- Milliseconds until time has given back `amount`; of a sliding window the oldest leave first.
local function until_given_back(meter, amount)
  if amount <= 0 then
    return 0
  end
  if not meter.grains then
    return meter.since + whole_ceil(amount, meter.refill) * meter.every - now
  end
  local at = now - meter.every
  for _, grain in ipairs(meter.grains) do
    if amount <= 0 then
      break
    end
    amount = amount - grain.units
    at = grain.at
  end
  return at + meter.every - now
end

local function until_fits(meter, weight)
  return until_given_back(meter, meter.used + weight * meter.unit - meter.capacity)
end

local function until_empty(meter)
  return until_given_back(meter, meter.used)
end

local function remaining(meter)
  return whole_floor(math.max(0, meter.capacity - meter.used), meter.unit)
end

-- A key lives as long as anything of it counts: through the millisecond before that in which nothing does.
local function store(meter)
  if meter.used <= 0 then
    redis.call('DEL', meter.key)
    return
  end
  local texts = {}
  for index, part in ipairs(meter.grains or { { units = meter.used, at = meter.since } }) do
    texts[index] = string.format('%.0f@%.0f', part.units, part.at)
  end
  local life = string.format('%.0f', math.max(1, until_empty(meter) - 1))
  redis.call('SET', meter.key, table.concat(texts, ' '), 'PX', life)
end

-- Milliseconds that a block lasts yet; nil for what is no block.
local function block_left(key)
  local ends_at = redis.call('GET', key)
  if not ends_at then
    return 0
  end
  if #ends_at > 16 or not string.find(ends_at, '^%d+$') then
    return nil
  end
  return math.max(0, tonumber(ends_at) - now)
end
