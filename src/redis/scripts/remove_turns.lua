-- Effect: removes the turns after a seq and begins a new epoch, if there are any.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 doorbell channel, 5 now in µs, 6 last seq to keep, 7 why
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {RUNNING, run id}
--   answer: last turn seq, how many were removed, epoch, time of creation

-- Turns can be large, and those that are read are held all at once.
local AT_ONCE = 16

-- The first so many of the turns in an entry.
local function first_turns(value, count)
  local at = 1
  for _ = 1, count do
    local length
    length, at = varint_at(value, at + 1) -- behind the tag
    for _ = 1, length do at = at + (string.byte(value, at) < 128 and 1 or 2) end
  end
  return string.sub(value, 1, at - 1)
end

-- Whom the first so many turns of an entry count for, as its field has it; calls `removed` with whom each of the others
-- does, and how many.
local function first_counted(who, size, count, removed)
  local staying = {}
  for participant, times in string.gmatch(who, '(%S+) ?(%d*)') do
    times = tonumber(times) or size
    local stay_here = math.min(times, count)
    count = count - stay_here
    if stay_here > 0 then staying[#staying + 1] = participant .. ' ' .. stay_here end
    removed(participant, times - stay_here)
  end
  return table.concat(staying, ' ')
end

local session, answers, log, turns = KEYS[1], KEYS[2], KEYS[4], KEYS[5]
local field, fingerprint, lifetime, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, to, reason = tonumber(ARGV[5]), ARGV[6], ARGV[7]

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end

local state = redis.call('HMGET', log, 'deleted', 'kept', 'count', 'updated', 'indexed', 'epoch', 'created',
  'sliding', 'by', 'running', 'last')
local deleted, kept, count = state[1], state[2] or '0', tonumber(state[3] or 0)
local updated, indexed, epoch, created = tonumber(state[4] or 0), tonumber(state[5] or 0), state[6] or '0', state[7] or '0'
local sliding, by, running, last_seq = state[8], state[9], state[10], state[11] or '0'

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
  if to == '0' then
    removed = count
    redis.call('UNLINK', turns)
    redis.call('HDEL', log, 'by')
    kept = '0'
  else
    local counts = cjson.decode(by or '{}')
    local from, rest = string.format('%.0f', tonumber(to) + 1), nil
    local function remove(participant, times)
      removed = removed + times
      if counts[participant] then counts[participant] = counts[participant] - times end
    end
    repeat
      local entries = redis.call('XRANGE', turns, from, '+', 'COUNT', AT_ONCE)
      local ids = {}
      for _, entry in ipairs(entries) do
        local last, at, size, who = parse_entry(entry)
        local staying = math.max(0, tonumber(to) - (last - size))
        if staying < size then
          ids[#ids + 1] = entry[1]
          local staying_who = first_counted(who, size, staying, remove)
          if staying > 0 then
            rest = {staying .. '/' .. to .. '/' .. at .. ' ' .. staying_who, first_turns(entry[2][2], staying)}
          end
        end
        from = '(' .. entry[1]
      end
      if #ids > 0 then redis.call('XDEL', turns, unpack(ids)) end
    until #entries < AT_ONCE
    if rest then redis.call('XADD', turns, last_seq .. '-*', unpack(rest)) end
    local newest = redis.call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
    kept = newest and string.format('%.0f', (parse_entry(newest))) or '0'
    if by then redis.call('HSET', log, 'by', cjson.encode(counts)) end
  end
  local at = whole(math.max(now, updated))
  epoch = string.format('%d', epoch + 1)
  redis.call('HSET', log, 'kept', kept, 'count', count - removed, 'updated', at, 'epoch', epoch, 'reset', reason)
  if tonumber(redis.call('HGET', log, 'summarized') or 0) > tonumber(kept) then
    redis.call('HDEL', log, 'summary', 'summarized')
  end
  moved(session, log, at, indexed)
  stay(KEYS, at, sliding, field ~= '')
else
  stay(KEYS, now, nil, field ~= '')
end
local answer = kept .. ' ' .. removed .. ' ' .. epoch .. ' ' .. created
remember(answers, field, fingerprint, answer, lifetime)
if removed > 0 then redis.call('SPUBLISH', channel, '') end
return {DONE, answer}
