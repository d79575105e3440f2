-- Effect: takes a run away from the process that writes it, for this one to end.
-- KEYS: 1 log
-- ARGV: 1 run id ('' = whichever is under way), 2 '1' = only when its process let the lease pass, 3 lease in ms
-- Returns: {DONE, fence, run id} | {HELD, until in ms since the epoch} | {GONE}

local HELD = -14

local log = KEYS[1]
local held = redis.call('HMGET', log, 'running', 'lease')
if not held[1] or (ARGV[1] ~= '' and held[1] ~= ARGV[1]) then return {GONE} end
local time = clock()
if ARGV[2] == '1' and tonumber(held[2]) >= time then return {HELD, held[2]} end
redis.call('HSET', log, 'lease', whole(time + tonumber(ARGV[3])))
return {DONE, redis.call('HINCRBY', log, 'fence', 1), held[1]}
