-- counter/get.lua, layout 1
-- Reads a total, behind a fence: without one a plain GET does.
-- KEYS[1] total
-- Returns the total as text, '0' when absent
return redis.call('GET', KEYS[1]) or '0'
