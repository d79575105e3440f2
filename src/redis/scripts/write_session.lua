-- Effect: stores a session if it still is what the mutation was computed from,
--   both as document and as it is answered, moves the outgoing configs revision
--   into the log of revisions, begins a new epoch of turns where asked to,
--   remembers the answer, and rings the doorbell.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns,
--   6 insights, 7 turns to begin with, copied from another session (absent: none)
-- ARGV: 1 etag the session must have ('' = it must not exist), 2 last turn seq it must have ('' = any)
--   3 field of the answer ('' = none), 4 fingerprint, 5 answer, 6 lifetime in ms
--   7 doorbell channel
--   8 document as JSON ('' = leave it, only remember the answer)
--   9 its update time in µs, 10 '1' when it is deleted
--   11 when the session ends, in ms since the epoch ('' = never)
--   12 how long it lives after the last change instead, in ms ('' = not so)
--   13 number of the outgoing revision ('' = the configs did not change)
--   14 how many outgoing revisions to keep
--   15 why the turns go, and what was learnt of them ('' = they stay)
--   16 '1' = not while a run answers
--   17 … fields of the log and their values
-- Returns: {DONE, activity} | {REPLAY, activity and answer} | {REUSED} | {CONFLICT, document or nil, activity}
--   | {RUNNING, run id}

local session, answers, revisions, log, turns, insights = unpack(KEYS)
local etag, seq = ARGV[1], ARGV[2]
local field, fingerprint, answer, lifetime = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local channel, document, updated, deleted = ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10]
local ends, sliding, outgoing, keep, reset = ARGV[11], ARGV[12], ARGV[13], ARGV[14], ARGV[15]

local moving = read_moving(log)
local refusal = replay(answers, field, fingerprint) or conflict(session, etag, moving, seq)
if not refusal and ARGV[16] == '1' then refusal = busy(moving[5]) end
if refusal then return refusal end

local expires = redis.call('PEXPIRETIME', session) -- below 0 when it does not, or is not there
if document == '' then
  remember(answers, field, fingerprint, told(moving) .. '\n' .. answer, lifetime)
  if expires > 0 then redis.call('PEXPIREAT', answers, expires) end
  return {DONE, told(moving)}
end

-- A step that fails undoes nothing: first what may fail, and the answer last.
if KEYS[7] then
  redis.call('RENAME', KEYS[7], turns) -- not when the copy has waited too long
  redis.call('PERSIST', turns)
end
local revision
if outgoing ~= '' then
  revision = redis.call('JSON.GET', session, 'configs') -- as text: cjson would turn [] into {}
end
redis.call('JSON.SET', session, '$', document)
updated = math.max(updated, tonumber(moving[1] or 0))
redis.call('HSET', log, 'updated', whole(updated), 'indexed', ARGV[9], 'deleted', deleted, unpack(ARGV, 17))
if outgoing ~= '' then
  redis.call('XADD', revisions, 'MAXLEN', keep, outgoing .. '-0', 'revision', revision)
end
if reset ~= '' then
  redis.call('UNLINK', turns, insights)
  redis.call('HDEL', log, 'kept', 'count', 'by', 'summary', 'summarized', 'learnt')
  redis.call('HINCRBY', log, 'epoch', 1)
  redis.call('HSET', log, 'reset', reset)
end
if sliding ~= '' then
  ends = whole(math.ceil(updated / 1000) + tonumber(sliding))
  redis.call('HSET', log, 'sliding', sliding)
elseif moving[10] then
  redis.call('HDEL', log, 'sliding')
end
if reset ~= '' or KEYS[7] then moving = read_moving(log) end
moving[1] = whole(updated)
remember(answers, field, fingerprint, told(moving) .. '\n' .. answer, lifetime)
if ends ~= '' then
  for at = 1, 6 do redis.call('PEXPIREAT', KEYS[at], ends) end
elseif expires > 0 then
  for at = 1, 6 do redis.call('PERSIST', KEYS[at]) end
end
if moving[9] then keep_documents(session, log, ends, sliding ~= '' and sliding) end
redis.call('SPUBLISH', channel, '')
return {DONE, told(moving)}
