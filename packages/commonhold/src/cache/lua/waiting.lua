-- cache/waiting.lua, layout 1
-- Those who wait for a claim, which is a hash of its token and of `owner:<owner>` for each of them.
-- Defines wakeWaiting(claim, topic, wakePrefix)

local function wakeWaiting(claim, topic, wakePrefix)
  for i = 1, #claim, 2 do
    if claim[i] ~= 'token' then
      redis.call('PUBLISH', wakePrefix .. string.sub(claim[i], 7), topic)
    end
  end
end
