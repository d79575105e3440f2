-- Effect: puts a session with a run on the list of those to look after when its lease has passed.
-- KEYS: 1 the list
-- ARGV: 1 the session, 2 lease in ms
-- Returns: its mark on the list, the time in ms since the epoch

local mark = whole(clock() + tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], mark, ARGV[1])
return mark
