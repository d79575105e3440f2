-- Effect: removes the turns after a seq and begins a new epoch, if there are any.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights,
--   7 the turns to keep, copied (absent: no copy was made)
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 doorbell channel, 5 now in µs, 6 last seq to keep, 7 why
--   8 … of the copy: epoch and time of creation, how many turns it has, and how many count for whom as JSON
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {RUNNING, run id}
--   | {INSIDE, epoch and time of creation}: the last to keep has others behind it in its entry, and no entry can be
--     changed or come in another's place; so they have to be copied
--   answer: last turn seq, how many were removed, epoch, time of creation

local INSIDE = -15

-- Turns can be large, and those that are read are held all at once.
local AT_ONCE = 16

-- Whether an entry has turns up to this seq and others behind it.
local function is_inside(turns, seq)
  local entry = redis.call('XRANGE', turns, string.format('%.0f', seq), '+', 'COUNT', 1)[1]
  local last = entry and tonumber(string.match(entry[1], '^%d+'))
  return entry and last > seq and last - size_of(entry[2][1]) < seq
end

local session, answers, log, turns, copy = KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[7]
local field, fingerprint, lifetime, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, to, reason = tonumber(ARGV[5]), ARGV[6], ARGV[7]

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end

local state = redis.call('HMGET', log, 'deleted', 'kept', 'count', 'updated', 'indexed', 'epoch', 'created',
  'sliding', 'by', 'running')
local deleted, kept, count = state[1], state[2] or '0', tonumber(state[3] or 0)
local updated, indexed, epoch, created = tonumber(state[4] or 0), tonumber(state[5] or 0), state[6] or '0', state[7] or '0'
local sliding, by, running = state[8], state[9], state[10]

if not deleted then return {ABSENT} end
if deleted == '1' then return {DELETED} end

local removed = 0
local removes = tonumber(to) < tonumber(kept)
-- Whoever clears wants nothing kept, also of an answer to nothing; whoever rewinds to where the log ends changes nothing.
if removes or reason == 'CLEARED' then
  refusal = busy(running)
  if refusal then return refusal end
end
if removes then
  if is_inside(turns, tonumber(to)) then
    local version = epoch .. ' ' .. created
    if not copy or ARGV[8] ~= version or redis.call('EXISTS', copy) == 0 then return {INSIDE, version} end
    redis.call('RENAME', copy, turns)
    redis.call('PERSIST', turns)
    removed = count - ARGV[9]
    kept = to
    if by then redis.call('HSET', log, 'by', ARGV[10]) end
  elseif to == '0' then
    removed = count
    redis.call('UNLINK', turns)
    redis.call('HDEL', log, 'by')
    kept = '0'
  else
    local counts = cjson.decode(by or '{}')
    local from = string.format('%.0f', tonumber(to) + 1)
    repeat
      local entries = redis.call('XRANGE', turns, from, '+', 'COUNT', AT_ONCE)
      local ids = {}
      for index, entry in ipairs(entries) do
        ids[index] = entry[1]
        each_counted(entry[2][1], function(who, times)
          removed = removed + times
          if counts[who] then counts[who] = counts[who] - times end
        end)
      end
      if #ids > 0 then redis.call('XDEL', turns, unpack(ids)) end
    until #entries < AT_ONCE
    local newest = redis.call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
    kept = newest and string.match(newest[1], '^%d+') or '0'
    if by then redis.call('HSET', log, 'by', cjson.encode(counts)) end
  end
  local at = whole(math.max(now, updated))
  epoch = string.format('%d', epoch + 1)
  redis.call('HSET', log, 'kept', kept, 'count', count - removed, 'updated', at, 'epoch', epoch, 'reset', reason)
  if tonumber(redis.call('HGET', log, 'summarized') or 0) > tonumber(kept) then
    redis.call('HDEL', log, 'summary', 'summarized')
  end
  moved(session, log, at, indexed)
  stay(KEYS, at, sliding, field ~= '' or copy)
else
  stay(KEYS, now, nil, field ~= '')
end
local answer = kept .. ' ' .. removed .. ' ' .. epoch .. ' ' .. created
remember(answers, field, fingerprint, answer, lifetime)
if removed > 0 then redis.call('SPUBLISH', channel, '') end
return {DONE, answer}
