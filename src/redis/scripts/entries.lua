-- Shared by the scripts that read the log's entries.
--
-- An entry has turns that were appended together, one or more. Its id is the seq of the last and when they were stored,
-- in µs; its value the turns, one after the other as turn_entries.ts writes them, a character for each byte. Its field
-- says how many turns and whom they count for: '3 alice', or, in order, '3 alice 1 - 2', where '-' is nobody.
-- In an entry of an earlier version there is one turn, and its field is whom that counts for, '' being nobody.

-- How many turns are in an entry with this field.
local function size_of(field)
  return tonumber(string.match(field, '^(%d+) ')) or 1
end

-- Calls `visit` with each whom turns of an entry count for, in order, and how many do.
local function each_counted(field, visit)
  local size, runs = string.match(field, '^(%d+) (.*)$')
  for who, times in string.gmatch(runs or (field == '' and '-' or field), '(%S+) ?(%d*)') do
    visit(who, tonumber(times) or tonumber(size) or 1)
  end
end
