-- channel/append.lua, layout 1
-- Appends a message to a stream, removes what is no longer kept, and publishes it with its id and the one before it.
-- Defines append_message(stream, channel, body, keepMs, keepCount, format, now)
--
-- stream: a key that the script declared; channel: any pub/sub channel; keepMs, keepCount (1 or more), now: numbers;
-- format: 'framed', or 'json' for a body that is the text of a JSON object. Returns the id. Fails before it writes
-- anything when the key is not a stream, so call it before other writes, or on keys that were looked at.
--
-- Each entry holds the id before it (p) and the body (b): a reader that knows p has missed nothing. Ids follow `now`
-- and not the server's own counter, and never go back while the stream lives; the newest entry is never trimmed, so
-- the id before is always there.
local function append_message(stream, channel, body, keepMs, keepCount, format, now)
  local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', '1')[1]
  local previous = newest and newest[1] or '0-0'
  local ms, sequence = string.match(previous, '^(%d+)-(%d+)$')
  ms, sequence = tonumber(ms), tonumber(sequence) + 1
  if now > ms then
    ms, sequence = now, 0
  end
  local id = string.format('%.0f-%.0f', ms, sequence)
  local most = string.format('%.0f', keepCount)
  local oldest = string.format('%.0f', math.max(0, now - keepMs))
  redis.call('XADD', stream, 'MAXLEN', '=', most, id, 'p', previous, 'b', body)
  redis.call('XTRIM', stream, 'MINID', '=', oldest)
  redis.call('PEXPIRE', stream, string.format('%.0f', keepMs))
  if format == 'json' then
    local head = '{"id":"' .. id .. '","previous":"' .. previous .. '"'
    redis.call('PUBLISH', channel, head .. (body == '{}' and '}' or ',' .. string.sub(body, 2)))
  else
    redis.call('PUBLISH', channel, previous .. ' ' .. id .. '\n' .. body)
  end
  return id
end
