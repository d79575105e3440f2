-- Effect: adds turns to a copy that becomes the log of a session once it is whole, or is forgotten.
-- KEYS: 1 copy
-- ARGV: 1 how long the copy is kept in ms, then for each entry three: id, field, value (see entries.lua)
-- Returns: {DONE}

for at = 2, #ARGV, 3 do
  redis.call('XADD', KEYS[1], ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {DONE}
