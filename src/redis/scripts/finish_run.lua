-- Effect: ends a run with its last event, appends the turn it leaves, and frees
--   the session; nothing when the run is no longer this process's.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 the run's events
-- ARGV: 1 run id, 2 fence, 3 doorbell channel, 4 now in µs, 5 channel of events, 6 how long events are kept in ms
--   7 offset of the last event, 8 its head, 9 the head's length, 10 tag of what happened, 11 rest of it, 12 its length
--   13 how it ended, 14 why as an encoded Status, 15 … the turn it leaves, if any
-- Returns: {DONE} | {GONE} | {BEHIND, offset of the newest event}: writes that nobody counted on came after all

local BEHIND = -15

local session, log, events = KEYS[1], KEYS[4], KEYS[7]
local run, now, live = ARGV[1], tonumber(ARGV[4]), ARGV[5]

local state = read_log(log)
if not state or not holds(log, run, ARGV[2]) then return {GONE} end
local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
newest = newest and string.match(newest[1], '^%d+') or '0'
if tonumber(newest) >= tonumber(ARGV[7]) then return {BEHIND, newest} end

local frame, bytes, at, seq = '', 0, whole(math.max(now, state.updated)), '0'
redis.call('HDEL', log, 'running', 'lease')
if #ARGV > 14 and state.last < LAST_SEQ then
  frame, bytes, at = append_framed(KEYS, ARGV[3], state, now, 15, '')
  seq = state.kept
else
  redis.call('SPUBLISH', ARGV[3], '')
end
local last = event_frame(ARGV[8], tonumber(ARGV[9]), ARGV[10], frame, bytes, ARGV[11], tonumber(ARGV[12]))
redis.call('XADD', events, ARGV[7] .. '-0', 'event', last, 'status', ARGV[13], 'seq', seq, 'at', at, 'error', ARGV[14])
keep_run(session, events, ARGV[6], state.sliding)
stay(KEYS, at, state.sliding, state.first)
tell(live, run, ARGV[7], seq, last)
return {DONE}
