-- cache/announce.lua, layout 1
-- Tells near caches that an entry changed; an empty channel tells nobody.
-- Defines announce(channel, topic)
local function announce(channel, topic)
  if channel ~= '' then
    redis.call('PUBLISH', channel, topic)
  end
end
