-- Effect: gives a place among those who wait for a run back, and rings for those behind it.
-- KEYS: 1 who waits for a run
-- ARGV: 1 ticket, 2 channel of events
-- Returns: {DONE}

if redis.call('HDEL', KEYS[1], ARGV[1]) > 0 then redis.call('SPUBLISH', ARGV[2], '') end
return {DONE}
