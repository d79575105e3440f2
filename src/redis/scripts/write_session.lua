-- Effect: stores a session if it still is what the mutation was computed from,
--   both as document and as it is answered, moves the outgoing configs revision
--   into the log of revisions, remembers the answer, and rings the doorbell.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log
-- ARGV: 1 etag the session must have ('' = it must not exist)
--   2 field of the answer ('' = none), 3 fingerprint, 4 answer, 5 lifetime in ms
--   6 doorbell channel
--   7 document as JSON ('' = leave it, only remember the answer)
--   8 the session encoded, 9 the schema it is encoded by, 10 '1' when it is deleted
--   11 when the session ends, in ms since the epoch ('' = never)
--   12 number of the outgoing revision ('' = the configs did not change)
--   13 how many outgoing revisions to keep
-- Returns: {DONE} | {REPLAY, answer} | {REUSED} | {CONFLICT, document or nil}

local session, answers, revisions, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local etag, field, fingerprint, answer, lifetime = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local channel, document, encoded, schema, deleted = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local ends, outgoing, keep = ARGV[11], ARGV[12], ARGV[13]

local refusal = replay(answers, field, fingerprint) or conflict(session, etag)
if refusal then return refusal end

if document == '' then
  remember(answers, field, fingerprint, answer, lifetime)
  local expires = redis.call('PEXPIRETIME', session)
  if expires > 0 then redis.call('PEXPIREAT', answers, expires) end
  return {DONE}
end

-- A step that fails undoes nothing: first what may fail, and the answer last.
local revision
if outgoing ~= '' then
  revision = redis.call('JSON.GET', session, 'configs') -- as text: cjson would turn [] into {}
end
redis.call('JSON.SET', session, '$', document)
redis.call('HSET', log, 'session', encoded, 'schema', schema, 'deleted', deleted)
if outgoing ~= '' then
  redis.call('XADD', revisions, 'MAXLEN', keep, outgoing .. '-0', 'revision', revision)
end
remember(answers, field, fingerprint, answer, lifetime)
if ends ~= '' then
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, ends) end
elseif etag ~= '' then
  for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
end
redis.call('SPUBLISH', channel, '')
return {DONE}
