-- queue/awaited.lua, layout 1
-- Who waits for the end of which job: a hash of ids and, parted by line feeds, owners of processes. It lives as long as
-- somebody looks, which who waits does about every second, so that nothing stays for those who died.
-- Defines awaited_key, tell_awaiting(id)
local awaited_key = base .. ':awaited'
local any_awaited

-- Wakes who waits for a job that ended or is gone.
local function tell_awaiting(id)
  if any_awaited == nil then
    any_awaited = redis.call('EXISTS', awaited_key) == 1
  end
  local owners = any_awaited and redis.pcall('HGET', awaited_key, id)
  if type(owners) ~= 'string' then
    return
  end
  redis.call('HDEL', awaited_key, id)
  for waiting in string.gmatch(owners, '[^\n]+') do
    -- The wake topic of the queue is `queue:` and its name.
    redis.call('PUBLISH', wake_prefix .. waiting, 'queue-done' .. string.sub(wake_topic, 6) .. ':' .. id)
  end
end
