-- Effect: removes a document, all that was made of it, and its line in the session's list of documents.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 list of documents, and all others of its documents
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 now in µs, 5 document id, 6 '1' = fine when there is none
-- Returns: {DONE} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {MISSING}

local MISSING = -17

local session, answers, log, documents = KEYS[1], KEYS[2], KEYS[4], KEYS[7]
local field, fingerprint, lifetime, now, id = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end
local state = redis.call('HMGET', log, 'deleted', 'updated', 'indexed', 'sliding')
if not state[1] then return {ABSENT} end
if state[1] == '1' then return {DELETED} end
local entry = redis.call('HGET', documents, id)
if not entry and ARGV[6] ~= '1' then return {MISSING} end

local at = whole(math.max(now, tonumber(state[2] or 0)))
if entry then
  local all = documents_of(session)
  local made, chunks, vectors = all.parse(entry)
  redis.call('HDEL', documents, id)
  all.each_key_of(id, made, vectors, all.remove)
  redis.call('HSET', log, 'updated', at, 'docs', redis.call('HLEN', documents))
  redis.call('HINCRBY', log, 'chunks', -chunks)
  moved(session, log, at, tonumber(state[3] or 0))
end
remember(answers, field, fingerprint, id, lifetime)
stay(KEYS, at, entry and state[4], field ~= '')
return {DONE}
