-- Effect: strikes a session off the list of those that may have a run, if nobody has put it there again.
-- KEYS: 1 the list
-- ARGV: 1 the session, 2 its score as it was read
-- Returns: {DONE}

if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {DONE}
