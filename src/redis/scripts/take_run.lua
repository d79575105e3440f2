-- Effect: takes a run away from the process that writes it, for this one to end.
--   Whoever else takes it holds it as well: nothing is written to it but its end,
--   and the first to write that ends it for all.
-- KEYS: 1 log
-- ARGV: 1 run id ('' = whichever is under way), 2 '1' = only when its process let the lease pass, 3 lease in ms
-- Returns: {DONE, fence, run id} | {HELD, until in ms since the epoch} | {GONE}

local HELD = -14

local log = KEYS[1]
local held = redis.call('HMGET', log, 'running', 'lease', 'taken', 'fence')
if not held[1] or (ARGV[1] ~= '' and held[1] ~= ARGV[1]) then return {GONE} end
local time = clock()
if ARGV[2] == '1' and tonumber(held[2]) >= time then return {HELD, held[2]} end
redis.call('HSET', log, 'lease', whole(time + tonumber(ARGV[3])), 'taken', held[1])
local fence = held[3] == held[1] and tonumber(held[4]) or redis.call('HINCRBY', log, 'fence', 1)
return {DONE, fence, held[1]}
