-- Shared by the scripts that append turns; stands behind upkeep.lua.

local LAST_SEQ = 4294967295
local BIGGEST_NEWS = 64 * 1024

-- What is called most, at hand: a global is looked up twice.
local call, format = redis.call, string.format

-- What appending has to know of a log; nil when there is no session.
local function read_log(log)
  local state = call('HMGET', log, 'deleted', 'last', 'kept', 'count', 'updated', 'indexed', 'epoch',
    'created', 'sliding', 'roster', 'by')
  if not state[1] then return nil end
  return {deleted = state[1] == '1', last = tonumber(state[2] or 0), kept = state[3] or '0',
    count = tonumber(state[4] or 0), updated = tonumber(state[5] or 0), indexed = tonumber(state[6] or 0),
    epoch = state[7] or '0', created = state[8] or '0', sliding = state[9], roster = state[10] or '', by = state[11]}
end

-- Whom a turn counts for: '@id' = that participant if it has a row, 'USER' or 'AGENT' = the only one bound,
-- '-' = nobody. Returns '-' or the participant.
local function counted(who, roster)
  local participant = ''
  if who == 'USER' then
    participant = string.match(roster, '^(.-)\n') or ''
  elseif who == 'AGENT' then
    participant = string.match(roster, '^.-\n(.-)\n') or ''
  elseif who ~= '-' and string.find(roster, '\n' .. string.sub(who, 2) .. '\n', 1, true) then
    participant = string.sub(who, 2)
  end
  return participant == '' and '-' or participant
end

-- Whom turns count for, as an entry of theirs says it (see entries.lua); adds them to the counts of `state`.
local function count_turns(state, size, runs)
  if state.roster == '' then return '-' end
  return (string.gsub(runs, '(%S+)( ?)(%d*)', function(who, gap, times)
    local participant = counted(who, state.roster)
    if participant ~= '-' then
      state.counts = state.counts or cjson.decode(state.by or '{}')
      state.counts[participant] = (state.counts[participant] or 0) + (times == '' and size or times)
    end
    return participant .. gap .. times
  end))
end

-- Appends turns, and moves what moves with them: counts, update time, and once a
-- second the update time the index knows. Tells followers, with the turns when
-- they are small. `keys`: of the session, which the caller lets `stay`
-- afterwards; `state`: of the log, and changed with it; `first`: where in ARGV
-- the turns begin, through its end: field and value of each entry, as
-- entries.lua has them, but for whom they count for see `counted`.
-- `run`: that of the run they begin ('' = none).
-- Returns when they were stored.
local function append(keys, channel, state, now, first, run)
  local log, stream, after, first_seq = keys[4], keys[5], state.kept, format('%d', state.last + 1)
  local at, seq, turns = whole(math.max(now, state.updated)), state.last, {}
  for index = first, #ARGV, 2 do
    local size, runs = string.match(ARGV[index], '^(%d+) (.*)$')
    seq = seq + size
    call('XADD', stream, format('%d-%s', seq, at), size .. ' ' .. count_turns(state, size, runs), ARGV[index + 1])
    turns[#turns + 1] = ARGV[index + 1]
  end
  state.first = state.count == 0
  state.count = state.count + seq - state.last
  state.last = seq
  state.kept = format('%d', seq)
  call('HSET', log, 'last', state.kept, 'kept', state.kept, 'count', state.count, 'updated', at)
  if state.counts then call('HSET', log, 'by', cjson.encode(state.counts)) end
  moved(keys[1], log, at, state.indexed)
  local told = table.concat(turns)
  call('SPUBLISH', channel, #told > BIGGEST_NEWS and ''
    or table.concat({state.created, state.epoch, after, first_seq, at, run}, ' ') .. '\n' .. told)
  return at
end
