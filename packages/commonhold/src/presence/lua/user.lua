-- presence/user.lua, layout 1
-- The members of a user that are present, a page at a time, by id.
-- KEYS[1] presence
-- ARGV[1] user, ARGV[2] after which id to begin ('' for the beginning), ARGV[3] most to look at
-- Returns {members, after}: each {id, endsAtMs, seat, joinedAtMs, meta, user, region, location}; after which id to go on, ''
-- for nothing more
-- include space.lua
local user, most = ARGV[1], tonumber(ARGV[3])
local found = {}
-- From `user` and the line break behind it to just before what comes after a line break.
local from = (ARGV[2] == '' and '[' or '(') .. user .. '\n' .. ARGV[2]
local entries = redis.call('ZRANGEBYLEX', users_key(user), from, '(' .. user .. '\11', 'LIMIT', 0, most)
local id = ''
for _, entry in ipairs(entries) do
  id = string.sub(entry, #user + 2)
  local member = find(id)
  if member and member.user == user and is_present(member) then
    found[#found + 1] = describe(member, ends_at(member))
  end
end
return { found, #entries == most and id or '' }
