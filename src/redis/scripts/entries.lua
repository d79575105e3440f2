-- Shared by the scripts that read the log's entries.
--
-- An entry has turns that were appended together, one or more. Its id is the seq of the last and when they were stored,
-- in µs; its value the turns, one after the other as turn_entries.ts writes them, a character for each byte. Its field
-- says how many turns and whom they count for: '3 alice', or, in order, '3 alice 1 - 2', where '-' is nobody.
-- When turns are removed, the rest of an entry is put behind all entries there have ever been, since Redis has no other
-- place for it; it is the last one then. Its id is that of no turn, and the field says what an id would:
-- '3/17/1795884048488000 alice'.
-- In an entry of an earlier version there is one turn, and its field is whom that counts for, '' being nobody.

-- The seq of an entry's last turn, when they were stored, how many they are, and whom they count for as a field has it.
local function parse_entry(entry)
  local last, at = string.match(entry[1], '^(%d+)-(%d+)$')
  local field = entry[2][1]
  local size, place, who = string.match(field, '^(%d+)(%S*) (.*)$')
  if not size then return tonumber(last), at, 1, field == '' and '-' or field end
  if place ~= '' then last, at = string.match(place, '^/(%d+)/(%d+)$') end
  return tonumber(last), at, tonumber(size), who
end
