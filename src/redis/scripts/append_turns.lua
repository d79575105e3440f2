-- Effect: appends turns to the log of a session, all of them, and tells followers.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 doorbell channel, 5 now in µs, 6 last turn seq the log must have ('' = any), 7 how many turns,
--   8 … turns, as log.lua takes them
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {MISMATCH, last turn seq} | {FULL}
--   answer: first seq, time in µs, epoch, time of creation

local MISMATCH, FULL = -5, -6

local answers, log = KEYS[2], KEYS[4]
local field, fingerprint, lifetime, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, expected = tonumber(ARGV[5]), ARGV[6]

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end
local state = read_log(log)
if not state then return {ABSENT} end
if state.deleted then return {DELETED} end
if expected ~= '' and expected ~= state.kept then return {MISMATCH, state.kept} end
if state.last + tonumber(ARGV[7]) > LAST_SEQ then return {FULL} end

local first = string.format('%.0f', state.last + 1)
local at = append(KEYS, channel, state, now, 8, '')
local answer = first .. ' ' .. at .. ' ' .. state.epoch .. ' ' .. state.created
remember(answers, field, fingerprint, answer, lifetime)
stay(KEYS, at, state.sliding, state.first or field ~= '')
return {DONE, answer}
