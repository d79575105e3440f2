-- Effect: lets the next integration begin, and remembers the answer when it is whole.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms, 4 the answer ('' = it is not whole), 5 fence
-- Returns: {DONE} | {GONE}

local answers, log = KEYS[2], KEYS[4]

if not integrates(log, ARGV[5]) then return {GONE} end
redis.call('HDEL', log, 'integration', 'integration_lease')
if ARGV[4] ~= '' then
  remember(answers, ARGV[1], ARGV[2], ARGV[4], ARGV[3])
  stay(KEYS, 0, nil, ARGV[1] ~= '')
end
return {DONE}
