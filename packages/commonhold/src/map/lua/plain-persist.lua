-- map/plain-persist.lua, layout 1
-- Takes the end from an entry of the documented layout.
-- KEYS[1] entry
-- Returns 1, or 0 when there is no entry
redis.call('PERSIST', KEYS[1])
return redis.call('EXISTS', KEYS[1])
