-- Shared by the scripts that store vectors; stands behind prelude.lua.

-- Stores the vectors in the arguments from `first` on, two for each: name of the field for it ('' = none), vector.
-- `prefix`: what their keys begin with; `index`: the number of the first; `of`: what all of them are found by. Calls
-- `stored` with each key.
local function store_vectors(prefix, index, of, first, stored)
  for at = first, #ARGV, 2 do
    local key = prefix .. index
    if ARGV[at] == '' then
      redis.call('HSET', key, 'of', of)
    else
      redis.call('HSET', key, 'of', of, ARGV[at], ARGV[at + 1])
    end
    stored(key)
    index = index + 1
  end
end
