-- map/set.lua, layout 1
-- Sets entries with one lifetime and one version.
-- KEYS[1] entries, KEYS[2] expiry, KEYS[3] changes
-- ARGV[1] announced, ARGV[2] owner, ARGV[3] ttlMs ('' without end), ARGV[4...] entries, each as key and value
-- Returns nothing
-- include entries.lua
purge()
local version, ends = next_version(), end_of(ARGV[3])
local head = version .. '|' .. ends .. '|' .. ARGV[2] .. '|'
local changes = {}
for i = 4, #ARGV, 2 do
  write(ARGV[i], head, ARGV[i + 1], ends)
  changes[#changes + 1] = { key = ARGV[i], value = ARGV[i + 1], ends = ends }
end
keep_alive()
announce(ARGV[2], changes, version)
