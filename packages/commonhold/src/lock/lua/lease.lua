-- lock/lease.lua, layout 1
-- Tells what this library wrote about a holder from what another program did.
-- Defines is_whole(text), is_spoiled(holder, ends_at)

-- As tonumber would also take 'nan' and '0x1', and what is above 2^53 it rounds.
local function is_whole(text)
  return #text <= 16 and string.find(text, '^%d+$') ~= nil
end

-- A holder of whom it cannot be said until when it holds is no free place: who came next would be a second one.
local function is_spoiled(holder, ends_at)
  return holder and not (ends_at and is_whole(ends_at))
end
