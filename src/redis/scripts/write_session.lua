-- Effect: stores a session if it still is what the mutation was computed from,
--   both as document and as it is answered, moves the outgoing configs revision
--   into the log of revisions, begins a new epoch of turns where asked to,
--   remembers the answer, and rings the doorbell.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns,
--   6 insights, 7 turns to begin with, copied from another session (absent: none)
-- ARGV: 1 what about it, words with a space between (see below; empty, or left out at the end, where there is nothing to say)
--   2 doorbell channel
--   3 document as JSON, or what changes in it ('' = leave it, only remember the answer)
--   4 the session as it is answered
--   5 the outgoing configs revision, as the log of revisions has it
--   6 … further fields of the log and their values, as many as the words say
--   then, if an answer is to be remembered: its field, fingerprint, the answer, its lifetime in ms
-- Returns: {DONE, activity} | {REPLAY, activity and answer} | {REUSED} | {CONFLICT, document or nil, activity}
--   | {RUNNING, run id}

-- How many outgoing revisions are kept at least: as many as revisions.ts reads.
local KEPT_REVISIONS = 99

local session, answers, revisions, log, turns, insights = unpack(KEYS)
local channel, document = ARGV[2], ARGV[3]
-- The etag the session must have (none = it must not exist), the last turn seq it must have (none = any);
-- how many ARGV are fields; and of what is written, if anything is:
-- '1' when the document is a JSON merge patch (RFC 7396) of the one that is there;
-- the new etag, the times of update and creation in µs, '1' when it is deleted;
-- when the session ends, in ms since the epoch (none = never), how long it lives after the last change instead, in ms;
-- the number of the outgoing revision (none = the configs did not change);
-- why the turns go, and what was learnt of them (none = they stay); '1' = not while a run answers.
local etag, seq, fields, merge, new_etag, indexed, created, deleted, ends, sliding, outgoing, reset, idle =
  string.match(ARGV[1], '^(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*) ?(%S*)')
local last_field = 5 + fields
local field, fingerprint = ARGV[last_field + 1] or '', ARGV[last_field + 2]
local answer, lifetime = ARGV[last_field + 3] or '', ARGV[last_field + 4]

local moving = read_moving(log)
local refusal = replay(answers, field, fingerprint) or conflict(session, etag, moving, seq)
if not refusal and idle == '1' then refusal = busy(moving[5]) end
if refusal then return refusal end

local expires = redis.call('PEXPIRETIME', session) -- below 0 when it does not, -2 when it is not there
if merge == '1' and expires == -2 then return {CONFLICT, false, told(moving)} end -- removed by other hands
if document == '' then
  local activity = told(moving)
  remember(answers, field, fingerprint, activity .. '\n' .. answer, lifetime)
  if expires > 0 then redis.call('PEXPIREAT', answers, expires) end
  return {DONE, activity}
end

-- A step that fails undoes nothing: first what may fail, and the answer last.
if KEYS[7] then
  redis.call('RENAME', KEYS[7], turns) -- not when the copy has waited too long
  redis.call('PERSIST', turns)
end
redis.call(merge == '1' and 'JSON.MERGE' or 'JSON.SET', session, '$', document)
local updated = moving[1] and tonumber(moving[1]) > tonumber(indexed) and moving[1] or indexed
redis.call('HSET', log, 'updated', updated, 'indexed', indexed, 'deleted', deleted, 'etag', new_etag,
  'created', created, 'session', ARGV[4], unpack(ARGV, 6, last_field))
if outgoing ~= '' then
  redis.call('XADD', revisions, 'MAXLEN', '~', KEPT_REVISIONS, outgoing .. '-0', 'revision', ARGV[5])
end
if reset ~= '' then
  redis.call('UNLINK', turns, insights)
  redis.call('HDEL', log, 'kept', 'count', 'by', 'summary', 'summarized', 'learnt')
  redis.call('HINCRBY', log, 'epoch', 1)
  redis.call('HSET', log, 'reset', reset)
end
if sliding ~= '' then
  ends = whole(math.ceil(tonumber(updated) / 1000) + tonumber(sliding))
  redis.call('HSET', log, 'sliding', sliding)
elseif moving[10] then
  redis.call('HDEL', log, 'sliding')
end
if reset ~= '' or KEYS[7] then moving = read_moving(log) end
moving[1] = updated
local activity = told(moving)
remember(answers, field, fingerprint, activity .. '\n' .. answer, lifetime)
if ends ~= '' then
  for at = 1, 6 do redis.call('PEXPIREAT', KEYS[at], ends) end
elseif expires > 0 then
  for at = 1, 6 do redis.call('PERSIST', KEYS[at]) end
end
if moving[9] then keep_documents(session, log, ends, sliding ~= '' and sliding) end
redis.call('SPUBLISH', channel, '')
return {DONE, activity}
