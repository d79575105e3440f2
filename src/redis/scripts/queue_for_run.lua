-- Effect: gives one who waits for a run a place, or keeps it, and says whether it is its turn.
-- KEYS: 1 answers by request id, 2 log, 3 who waits for a run
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 ticket, 4 how many may wait,
--   5 how long a ticket is good in ms
-- Returns: {DONE}: it is | {REPLAY, run id} | {REUSED} | {ABSENT} | {DELETED} | {EXPIRED, run id} | {WAITING} | {CROWDED}

local log = KEYS[2]

local refusal = replay(KEYS[1], ARGV[1], ARGV[2])
if refusal then return refusal end
local deleted = redis.call('HGET', log, 'deleted')
if not deleted then return {ABSENT} end
if deleted == '1' then return {DELETED} end
return in_the_way(log, KEYS[3], clock(), ARGV[3], false, tonumber(ARGV[4]), tonumber(ARGV[5])) or {DONE}
