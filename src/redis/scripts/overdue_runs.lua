-- Effect: none. Finds the sessions whose time on the list of runs to look after has come.
-- KEYS: 1 the list
-- ARGV: 1 how many at most
-- Returns: {session, mark, session, mark …}

return redis.call('ZRANGE', KEYS[1], '-inf', whole(clock()), 'BYSCORE', 'LIMIT', 0, ARGV[1], 'WITHSCORES')
