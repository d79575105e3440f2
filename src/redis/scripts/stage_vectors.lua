-- Effect: stores some of the vectors of a document that is in the making; they go by themselves if it is not made.
-- KEYS: 1 log (for its slot)
-- ARGV: 1 what the vectors' keys begin with, 2 number of the first, 3 what they are found by, 4 lifetime in ms
--   5 … vectors
-- Returns: {DONE}

store_vectors(ARGV[1], tonumber(ARGV[2]), ARGV[3], 5, function(key) redis.call('PEXPIRE', key, ARGV[4]) end)
return {DONE}
