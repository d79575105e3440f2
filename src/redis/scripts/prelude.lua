-- Shared by the scripts that mutate a session; stands before each of them.

local DONE, REPLAY, CONFLICT, REUSED, ABSENT, DELETED, RUNNING = 1, 2, -1, -2, -3, -4, -7

-- An answer that was given under this request id is given again.
-- Returns nil when the operation is new, or has no request id.
local function replay(answers, field, fingerprint)
  if field == '' then return nil end
  local remembered = redis.call('HGET', answers, field)
  if not remembered then return nil end
  local length = #fingerprint
  if string.sub(remembered, 1, length) ~= fingerprint then return {REUSED} end
  return {REPLAY, string.sub(remembered, length + 1)}
end

local function remember(answers, field, fingerprint, answer, lifetime)
  if field == '' then return end
  redis.call('HSET', answers, field, fingerprint .. answer)
  redis.call('HPEXPIRE', answers, lifetime, 'FIELDS', 1, field)
end

-- Milliseconds since the epoch, by the one clock all processes share.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Microseconds have more digits than Lua writes by itself.
local function whole(number)
  return string.format('%.0f', number)
end

-- What moves with every turn, as the log has it, how the session's keys end, and its etag.
local function read_moving(log)
  return redis.call('HMGET', log, 'updated', 'kept', 'count', 'by', 'running', 'summary', 'summarized', 'learnt', 'docs',
    'sliding', 'etag')
end

local function quoted(text)
  return text and cjson.encode(text) or '""'
end

-- What moves with every turn, as JSON: update time, last turn seq, turn count, turns by participant, the run that
-- answers, the summary and the last turn it covers, of each agent how far it learnt and how many insights it has,
-- how many documents there are.
local function told(moving)
  return '[' .. (moving[1] or 0) .. ',' .. (moving[2] or 0) .. ',' .. (moving[3] or 0) .. ',' .. (moving[4] or 'null')
    .. ',' .. quoted(moving[5]) .. ',' .. quoted(moving[6]) .. ',' .. (moving[7] or 0) .. ',' .. (moving[8] or 'null')
    .. ',' .. (moving[9] or 0) .. ']'
end

-- What may not happen while a run answers: whoever wants it ends the run first. `run`: the log's `running`.
local function busy(run)
  return run and {RUNNING, run} or nil
end

-- The mutation was computed from a session with this etag ('' = from none) and
-- last turn seq ('' = whichever). Returns nil when that is what is there, else
-- the session that is, with its activity. `moving`: as the log has it.
local function conflict(session, etag, moving, seq)
  local current = moving[11]
  if not current then -- there is none, or it was written before its log knew its etag
    current = string.sub(redis.call('JSON.GET', session, 'etag') or '""', 2, -2)
  end
  local same = current == etag and (seq == '' or (moving[2] or '0') == seq)
  if same then return nil end
  return {CONFLICT, redis.call('JSON.GET', session), told(moving)}
end

-- A page by update time may lag by a second: indexing a session costs more than a turn does.
local INDEX_LAG = 1000000

local function moved(session, log, at, indexed)
  if tonumber(at) - indexed < INDEX_LAG then return end
  redis.call('JSON.SET', session, '$.updateTime', at)
  redis.call('HSET', log, 'indexed', at)
end

-- The keys of a session's documents are too many to be given: named as keys.ts does.
local function beside(session, kind)
  return (string.gsub(session, ':session:', ':' .. kind .. ':', 1))
end

-- A line of the list of documents: which making it is, how many chunks it has, and how many vectors.
local function parse_entry(entry)
  local made, chunks, vectors = string.match(entry, '^(%S+) %S+ (%d+) (%d+)$')
  return made, tonumber(chunks), tonumber(vectors)
end

-- Calls `visit` with each key of a document.
local function each_key_of(session, id, made, vectors, visit)
  visit(beside(session, 'doc') .. ':' .. id)
  local prefix = beside(session, 'vector') .. ':' .. made .. '/'
  for index = 0, vectors - 1 do visit(prefix .. index) end
end

-- Calls `visit` with each key of all documents.
local function each_document_key(session, visit)
  local entries = redis.call('HGETALL', beside(session, 'docs'))
  for at = 1, #entries, 2 do
    local made, _, vectors = parse_entry(entries[at + 1])
    each_key_of(session, entries[at], made, vectors, visit)
  end
end

-- Taking a vector out of the index costs a fifth of a millisecond and more. What nobody sees any more can go when
-- there is time.
local UNLINKED_AT_ONCE = 200

-- A visitor that removes keys: the first at once, the others soon.
local function remover()
  local removed = 0
  return function(key)
    removed = removed + 1
    if removed <= UNLINKED_AT_ONCE then redis.call('UNLINK', key) else redis.call('PEXPIRE', key, 1) end
  end
end

local function end_at(key, ends)
  if ends == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, ends) end
end

-- The documents end with their session ('' = never). Where that moves on with every change, their keys are told for
-- some time ahead, and told again when it is up: they may stay a little longer than the session, where nobody sees them.
local function keep_documents(session, log, ends, sliding)
  local state = redis.call('HMGET', log, 'docs', 'docs_end')
  if (state[1] or '0') == '0' then return end
  end_at(beside(session, 'docs'), ends)
  local told, last = state[2] or '', ends
  if ends ~= '' and sliding then
    local ahead = math.ceil(sliding / 10)
    if told ~= '' and tonumber(ends) <= tonumber(told) and tonumber(told) <= tonumber(ends) + 2 * ahead then return end
    last = whole(ends + ahead)
  end
  if last == told then return end
  each_document_key(session, function(key) end_at(key, last) end)
  redis.call('HSET', log, 'docs_end', last)
end

-- All keys of a session end with it: later after each change when it slides, and
-- `new` ones when the others do.
local function stay(keys, at, sliding, new)
  local ends
  if sliding then
    ends = math.ceil(tonumber(at) / 1000) + tonumber(sliding)
  elseif new then
    ends = redis.call('PEXPIRETIME', keys[1])
    if ends < 0 then ends = nil end
  end
  if not ends then return end
  for slot = 1, 6 do redis.call('PEXPIREAT', keys[slot], whole(ends)) end
  keep_documents(keys[1], keys[4], whole(ends), sliding)
end
