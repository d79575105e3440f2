-- Effect: stores a document with the last of its chunks, and puts it in the session's list of documents.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 list of documents, 8 the document
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 now in µs, 5 document id, 6 how it was made, 7 how many words, 8 what is told of it, 9 content
--   10 the most documents, 11 the most chunks, 12 what the chunks' keys begin with, 13 what they are found by
--   14 how many chunks have been staged, 15 … chunks
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {TAKEN} | {FULL} | {LATE}

local TAKEN, FULL, LATE = -15, -6, -16

local session, answers, log, documents, document = KEYS[1], KEYS[2], KEYS[4], KEYS[7], KEYS[8]
local field, fingerprint, lifetime, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local id, made, about, prefix, staged = ARGV[5], ARGV[6], ARGV[8], ARGV[12], tonumber(ARGV[14])

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end
local state = redis.call('HMGET', log, 'deleted', 'updated', 'indexed', 'sliding', 'chunks')
if not state[1] then return {ABSENT} end
if state[1] == '1' then return {DELETED} end
if redis.call('HEXISTS', documents, id) == 1 then return {TAKEN} end
local chunks = staged + (#ARGV - 14) / 5
if redis.call('HLEN', documents) >= tonumber(ARGV[10]) or tonumber(state[5] or 0) + chunks > tonumber(ARGV[11]) then
  return {FULL}
end
-- Whoever takes longer than staged chunks are kept begins again.
for index = 0, staged - 1 do
  if redis.call('PERSIST', prefix .. index) == 0 then return {LATE} end
end

store_chunks(prefix, staged, ARGV[13], 15, function() end)
redis.call('UNLINK', document) -- of a session that had this id before
redis.call('HSET', document, 'about', about, 'content', ARGV[9])
redis.call('HSET', documents, id, made .. ' ' .. ARGV[4] .. ' ' .. chunks .. ' ' .. ARGV[7])
local at = whole(math.max(now, tonumber(state[2] or 0)))
redis.call('HSET', log, 'updated', at, 'docs', redis.call('HLEN', documents))
redis.call('HINCRBY', log, 'chunks', chunks)
moved(session, log, at, tonumber(state[3] or 0))
remember(answers, field, fingerprint, about, lifetime)
stay(KEYS, at, state[4], true)
local ends = redis.call('HGET', log, 'docs_end') or ''
if ends ~= '' then
  end_at(document, ends)
  for index = 0, chunks - 1 do end_at(prefix .. index, ends) end
end
return {DONE, about}
