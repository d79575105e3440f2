-- Effect: keeps a summary of the first turns, if the run that made it still is under way.
-- KEYS: 1 log
-- ARGV: 1 run id, 2 fence, 3 the summary, 4 the last turn it covers
-- Returns: {DONE} | {GONE}

if not holds(KEYS[1], ARGV[1], ARGV[2]) then return {GONE} end
redis.call('HSET', KEYS[1], 'summary', ARGV[3], 'summarized', ARGV[4])
return {DONE}
