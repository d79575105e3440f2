-- Effect: stores what an agent learnt of some turns and how far it has come, and adds both to the answer, if
--   integration, epoch, binding and watermark are what they were when the turns were read.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 the answer so far, with this, 5 fence, 6 lease in ms, 7 now in µs
--   8 the session's time of creation, 9 epoch, 10 agent, 11 its place among the participants, 12 when it was bound
--   13 the watermark it had, 14 how many insights it had, 15 the watermark it gets, 16 … the insights as JSON
-- Returns: {DONE} | {GONE} | {ABSENT} | {DELETED} | {SUPERSEDED}

local session, answers, log, insights = KEYS[1], KEYS[2], KEYS[4], KEYS[6]
local agent, count = ARGV[10], tonumber(ARGV[14])

local state = redis.call('HMGET', log, 'deleted', 'created', 'epoch', 'updated', 'indexed', 'sliding', 'learnt')
if not state[1] then return {ABSENT} end
if state[1] == '1' then return {DELETED} end
if not integrates(log, ARGV[5]) then return {GONE} end
if (state[2] or '0') ~= ARGV[8] or (state[3] or '0') ~= ARGV[9] then return {SUPERSEDED} end

-- Rows stay where they are, so the place is the agent's for ever.
local function row(name)
  return redis.call('JSON.GET', session, '$.participants[' .. ARGV[11] .. '].' .. name)
end
if row('bindTime') ~= '[' .. ARGV[12] .. ']' or row('unbindTime') ~= '[]' then return {SUPERSEDED} end
local learnt = cjson.decode(state[7] or '{}')
local before = learnt[agent] or {0, 0}
if before[1] ~= tonumber(ARGV[13]) or before[2] ~= count then return {SUPERSEDED} end

for at = 16, #ARGV do
  count = count + 1
  redis.call('HSET', insights, agent .. '/' .. string.format('%d', count), ARGV[at])
end
learnt[agent] = {tonumber(ARGV[15]), count}
local at = whole(math.max(tonumber(ARGV[7]), tonumber(state[4] or 0)))
redis.call('HSET', log, 'learnt', cjson.encode(learnt), 'updated', at)
hold(log, ARGV[6])
moved(session, log, at, tonumber(state[5] or 0))
remember(answers, ARGV[1], ARGV[2], ARGV[4], ARGV[3])
stay(KEYS, at, state[6], true)
return {DONE}
