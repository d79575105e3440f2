-- Effect: begins an integration, unless another one is under way whose process is alive.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms, 4 lease in ms
--   5 the answer so far, if this request id has none
-- Returns: {DONE, fence, answer so far} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {BUSY}

local answers, log = KEYS[2], KEYS[4]
local field, fingerprint, lifetime, answer = ARGV[1], ARGV[2], ARGV[3], ARGV[5]

local known = replay(answers, field, fingerprint)
if known and known[1] == REUSED then return known end
if known and string.sub(known[2], 1, 5) == 'done ' then return known end
local state = redis.call('HMGET', log, 'deleted', 'integration', 'integration_lease', 'created')
if not state[1] then return {ABSENT} end
if state[1] == '1' then return {DELETED} end
if state[2] and tonumber(state[3]) >= clock() then return {BUSY} end

-- Another session may have this id next, and count from 1 again.
local fence = (state[4] or '0') .. '.' .. redis.call('HINCRBY', log, 'integrations', 1)
redis.call('HSET', log, 'integration', fence)
hold(log, ARGV[4])
if known then answer = known[2] else remember(answers, field, fingerprint, answer, lifetime) end
stay(KEYS, 0, nil, field ~= '')
return {DONE, fence, answer}
