-- Shared by the scripts that store chunks; stands behind the prelude.

-- Stores the chunks in the arguments from `first` on, five for each: text, words, how many words, name of the field
-- for its vector ('' = none), vector. `prefix`: what their keys begin with; `index`: the number of the first; `of`:
-- what all of them are found by. Calls `stored` with each key.
local function store_chunks(prefix, index, of, first, stored)
  for at = first, #ARGV, 5 do
    local key = prefix .. index
    if ARGV[at + 3] == '' then
      redis.call('HSET', key, 'of', of, 'words', ARGV[at + 1], 'length', ARGV[at + 2], 'text', ARGV[at])
    else
      redis.call('HSET', key, 'of', of, 'words', ARGV[at + 1], 'length', ARGV[at + 2], 'text', ARGV[at],
        ARGV[at + 3], ARGV[at + 4])
    end
    stored(key)
    index = index + 1
  end
end
