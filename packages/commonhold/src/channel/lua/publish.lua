-- channel/publish.lua, layout 1
-- Appends a message to a channel and publishes it.
-- KEYS[1] stream
-- ARGV[1] channel, ARGV[2] body, ARGV[3] keepMs, ARGV[4] keepCount, ARGV[5] format
-- Returns the id of the message
-- include append.lua
return append_message(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], now)
