-- Effect: stores a document with the last of its vectors, and puts it in the session's list of documents.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 list of documents, 8 the document
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 now in µs, 5 document id, 6 how it was made, 7 what is told of it, 8 how many chunks, 9 the most documents,
--   10 the most chunks, 11 what the keys of its vectors begin with, 12 what they are found by, 13 how many have been
--   staged, 14 … its text, the name of a field and its value for each chunk, then vectors
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {TAKEN} | {FULL} | {LATE}

local TAKEN, FULL, LATE = -15, -6, -16

local session, answers, log, documents, document = KEYS[1], KEYS[2], KEYS[4], KEYS[7], KEYS[8]
local field, fingerprint, lifetime, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local id, made, about, chunks = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local prefix, of, staged, text = ARGV[11], ARGV[12], tonumber(ARGV[13]), 14
local first_vector = text + 2 * chunks

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end
local state = redis.call('HMGET', log, 'deleted', 'updated', 'indexed', 'sliding', 'chunks')
if not state[1] then return {ABSENT} end
if state[1] == '1' then return {DELETED} end
if redis.call('HEXISTS', documents, id) == 1 then return {TAKEN} end
if redis.call('HLEN', documents) >= tonumber(ARGV[9]) or tonumber(state[5] or 0) + chunks > tonumber(ARGV[10]) then
  return {FULL}
end
-- Whoever takes longer than staged vectors are kept begins again.
for index = 0, staged - 1 do
  if redis.call('PERSIST', prefix .. index) == 0 then return {LATE} end
end

store_vectors(prefix, staged, of, first_vector, function() end)
local vectors = staged + (#ARGV - first_vector + 1) / 2
redis.call('UNLINK', document) -- of a session that had this id before
redis.call('HSET', document, 'made', made, 'about', about)
-- Lua takes so many arguments at a time.
for first = text, first_vector - 1, 4000 do
  redis.call('HSET', document, unpack(ARGV, first, math.min(first + 3999, first_vector - 1)))
end
redis.call('HSET', documents, id, table.concat({made, ARGV[4], chunks, vectors}, ' '))
local at = whole(math.max(now, tonumber(state[2] or 0)))
redis.call('HSET', log, 'updated', at, 'docs', redis.call('HLEN', documents))
redis.call('HINCRBY', log, 'chunks', chunks)
moved(session, log, at, tonumber(state[3] or 0))
remember(answers, field, fingerprint, about, lifetime)
stay(KEYS, at, state[4], true)
local ends = redis.call('HGET', log, 'docs_end') or ''
if ends ~= '' then
  local all = documents_of(session)
  all.each_key_of(id, made, vectors, function(key) all.end_at(key, ends) end)
end
return {DONE, about}
