-- queue/wake.lua, layout 1
-- Wakes workers that wait. Each is named once and then stands in the list again only after its next look.
-- Defines wake_channel(worker), wake(count)

-- A worker is its process's owner, a colon, and a name of its own.
local function wake_channel(worker)
  return wake_prefix .. string.match(worker, '^[^:]*')
end

-- Names up to `count` waiting workers, those heard of last first, and wakes their processes.
local function wake(count)
  if count <= 0 then
    return
  end
  local picked = redis.call('ZPOPMAX', base .. ':idle', count)
  for i = 1, #picked, 2 do
    redis.call('PUBLISH', wake_channel(picked[i]), wake_topic)
  end
end
