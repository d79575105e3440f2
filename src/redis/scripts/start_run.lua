-- Effect: appends the turns of a run and starts it, if no other is under way and
--   none has waited longer; the first event is there when it is done.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 the run's events, 8 who waits for a run
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 doorbell channel, 5 now in µs, 6 last turn seq the prompt was made from
--   7 run id, 8 lease in ms, 9 channel of events, 10 how long events are kept in ms
--   11 ticket to wait with ('' = does not wait), 12 '1' = goes before those who wait, 13 how many may wait,
--   14 how long a ticket is good in ms, 15 model, 16 agent
--   17 head of the first event, 18 its length, 19 tag of what happened, 20 rest of it, 21 its length,
--   22 … turns, an entry for each
-- Returns: {DONE, run id, fence, last turn seq} | {REPLAY, run id} | {REUSED} | {ABSENT} | {DELETED} | {FULL}
--   | {BUSY, run id} | {EXPIRED, run id}: its process is gone | {WAITING} | {CROWDED} | {MOVED}: there are other turns

local FULL = -6

local session, answers, log, events, queue = KEYS[1], KEYS[2], KEYS[4], KEYS[7], KEYS[8]
local field, fingerprint, lifetime, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, expected, run, lease, live = tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9]
local ticket, first, most, good = ARGV[11], ARGV[12] == '1', tonumber(ARGV[13]), tonumber(ARGV[14])

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end
local state = read_log(log)
if not state then return {ABSENT} end
if state.deleted then return {DELETED} end

local time = clock()
local hindrance = in_the_way(log, queue, time, ticket, first, most, good)
if hindrance then return hindrance end
if expected ~= state.kept then return {MOVED} end
if state.last + (#ARGV - 21) / 2 > LAST_SEQ then return {FULL} end

if ticket ~= '' then redis.call('HDEL', queue, ticket) end
local frames, bytes, at = '', 0, whole(math.max(now, state.updated))
local fence = redis.call('HINCRBY', log, 'fence', 1)
redis.call('HSET', log, 'running', run, 'run', run, 'lease', whole(time + lease), 'run:' .. run, '')
redis.call('HPEXPIRE', log, 2 * tonumber(ARGV[10]), 'FIELDS', 1, 'run:' .. run)
if #ARGV > 21 then
  frames, bytes, at = append_framed(KEYS, channel, state, now, 22, run)
else
  redis.call('SPUBLISH', channel, table.concat({state.created, state.epoch, state.kept, 0, at, run}, ' ') .. '\n')
end
redis.call('HSET', log, 'asked', state.kept, 'asked_in', state.epoch)
local frame = event_frame(ARGV[17], tonumber(ARGV[18]), ARGV[19], frames, bytes, ARGV[20], tonumber(ARGV[21]))
redis.call('XADD', events, '1-0', 'event', frame, 'created', state.created, 'at', at, 'model', ARGV[15], 'agent', ARGV[16])
keep_run(session, events, ARGV[10], state.sliding)
remember(answers, field, fingerprint, run, lifetime)
stay(KEYS, at, state.sliding, state.first or field ~= '')
tell(live, run, 1, '-', frame)
return {DONE, run, fence, state.kept}
