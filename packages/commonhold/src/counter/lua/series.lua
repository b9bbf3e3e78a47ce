-- counter/series.lua, layout 1
-- Reads the counts of consecutive days; '0' for days without adds and for days that are no longer kept.
-- KEYS[1] days
-- ARGV[1] keepMs, ARGV[2] days, ARGV[3] lastDay (since 1970, '' for today)
-- Returns {last day, {counts as text, oldest first}}
-- include civil.lua
local dayMs = 86400000
local last = tonumber(ARGV[3]) or math.floor(now / dayMs)
local first = last - tonumber(ARGV[2]) + 1
local oldest = math.ceil((now - tonumber(ARGV[1])) / dayMs) - 1
local names = {}
for day = first, last do
  names[#names + 1] = civil(day)
end
local counts = redis.call('HMGET', KEYS[1], unpack(names))
for i = 1, #names do
  counts[i] = first + i - 1 >= oldest and counts[i] or '0'
end
return { last, counts }
