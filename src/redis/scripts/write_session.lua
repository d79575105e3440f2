-- Effect: stores a session if it still is what the mutation was computed from,
--   moves the outgoing configs revision into the log, remembers the answer, and
--   rings the session's doorbell.
-- KEYS: 1 session document, 2 configs revisions, 3 answers by request id
-- ARGV: 1 etag the session must have ('' = it must not exist)
--   2 document as JSON ('' = leave it, only remember the answer)
--   3 when the session ends, in ms since the epoch ('' = never)
--   4 outgoing revision ('' = the configs did not change), 5 the same as JSON
--   6 how many revisions to keep in the log
--   7 field of the answer ('' = none), 8 fingerprint, 9 answer, 10 lifetime in ms
--   11 doorbell channel
-- Returns: {DONE} | {REPLAY, answer} | {REUSED} | {CONFLICT, document or nil}

local session, revisions, answers = KEYS[1], KEYS[2], KEYS[3]
local etag, document, ends = ARGV[1], ARGV[2], ARGV[3]
local revision, outgoing, keep = ARGV[4], ARGV[5], ARGV[6]
local field, fingerprint, answer, lifetime, channel = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]

local refusal = replay(answers, field, fingerprint) or conflict(session, etag)
if refusal then return refusal end

remember(answers, field, fingerprint, answer, lifetime)
if document == '' then return {DONE} end

redis.call('JSON.SET', session, '$', document)
if revision ~= '' then
  redis.call('XADD', revisions, 'MAXLEN', keep, revision .. '-0', 'revision', outgoing)
end
for _, key in ipairs({session, revisions, answers}) do
  if ends ~= '' then
    redis.call('PEXPIREAT', key, ends)
  else
    redis.call('PERSIST', key)
  end
end
redis.call('SPUBLISH', channel, '')
return {DONE}
