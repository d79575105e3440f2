-- Effect: strikes sessions off the list of those that may have a run, where nobody has put them there again.
-- KEYS: 1 the list
-- ARGV: 1 a session, 2 its score as it was read, 3 the next session …
-- Returns: {DONE}

for at = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[at]) == ARGV[at + 1] then redis.call('ZREM', KEYS[1], ARGV[at]) end
end
return {DONE}
