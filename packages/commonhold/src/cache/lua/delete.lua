-- cache/delete.lua, layout 1
-- Removes a value and the claim on it: what is being computed now is older than the deletion and will not be stored.
-- KEYS[1] entry, KEYS[2] claim
-- Returns how many values were removed, 0 or 1
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
