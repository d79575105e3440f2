-- Shared by the scripts that change the documents of a session, or how long it is kept; stands behind prelude.lua.

-- Taking a vector out of the index costs a fifth of a millisecond and more. What nobody sees any more can go when
-- there is time.
local UNLINKED_AT_ONCE = 200

-- The documents of a session, and their keys: too many to be given, and named as keys.ts does. Made when there are any.
local function documents_of(session)
  local function beside(kind)
    return (string.gsub(session, ':session:', ':' .. kind .. ':', 1))
  end
  local removed = 0
  local documents = {list = beside('docs')}

  -- A line of the list: which making of a document it is, how many chunks that has, and how many vectors.
  function documents.parse(line)
    local made, chunks, vectors = string.match(line, '^(%S+) %S+ (%d+) (%d+)$')
    return made, tonumber(chunks), tonumber(vectors)
  end

  -- Calls `visit` with each key of a document.
  function documents.each_key_of(id, made, vectors, visit)
    visit(beside('doc') .. ':' .. id)
    local prefix = beside('vector') .. ':' .. made .. '/'
    for index = 0, vectors - 1 do visit(prefix .. index) end
  end

  -- Calls `visit` with each key of all documents.
  function documents.each_key(visit)
    local lines = redis.call('HGETALL', documents.list)
    for at = 1, #lines, 2 do
      local made, _, vectors = documents.parse(lines[at + 1])
      documents.each_key_of(lines[at], made, vectors, visit)
    end
  end

  -- Removes a key: the first of them at once, the others soon.
  function documents.remove(key)
    removed = removed + 1
    if removed <= UNLINKED_AT_ONCE then redis.call('UNLINK', key) else redis.call('PEXPIRE', key, 1) end
  end

  -- Has a key end with the session ('' = never).
  function documents.end_at(key, ends)
    if ends == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, ends) end
  end

  return documents
end

-- The documents end with their session ('' = never). Where that moves on with every change, their keys are told for
-- some time ahead, and told again when it is up: they may stay a little longer than the session, where nobody sees them.
local function keep_documents(session, log, ends, sliding)
  local state = redis.call('HMGET', log, 'docs', 'docs_end')
  if (state[1] or '0') == '0' then return end
  local documents = documents_of(session)
  documents.end_at(documents.list, ends)
  local told, last = state[2] or '', ends
  if ends ~= '' and sliding then
    local ahead = math.ceil(sliding / 10)
    if told ~= '' and tonumber(ends) <= tonumber(told) and tonumber(told) <= tonumber(ends) + 2 * ahead then return end
    last = whole(ends + ahead)
  end
  if last == told then return end
  documents.each_key(function(key) documents.end_at(key, last) end)
  redis.call('HSET', log, 'docs_end', last)
end
