-- counter/operation.lua, layout 1
-- What an operation did, kept as `<what> <answer>` beside its target, so that doing it again does nothing more.
-- Defines operation_answer(key, what), remember_operation(key, what, answer, remember_ms)

-- Nil for an operation that is new, false for an id that another one had.
local function operation_answer(key, what)
  local note = redis.call('GET', key)
  if not note then
    return nil
  end
  local before, answer = string.match(note, '^([^ ]*) (.*)$')
  return before == what and answer
end
local function remember_operation(key, what, answer, remember_ms)
  redis.call('SET', key, what .. ' ' .. answer, 'PX', remember_ms)
end
