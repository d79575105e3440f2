-- Shared by the scripts that append turns; stands behind upkeep.lua.

local LAST_SEQ = 4294967295
local BIGGEST_NEWS = 64 * 1024

-- What is called for every turn, at hand: a global is looked up twice.
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

-- Whom a turn counts for: '@id' = that participant if it has a row, 'USER' or 'AGENT' = the only one bound, '-' = nobody.
local function counted(who, roster)
  if who == '-' or roster == '' then return '' end
  if who == 'USER' then return string.match(roster, '^(.-)\n') or '' end
  if who == 'AGENT' then return string.match(roster, '^.-\n(.-)\n') or '' end
  local participant = string.sub(who, 2)
  return string.find(roster, '\n' .. participant .. '\n', 1, true) and participant or ''
end

-- Appends turns, and moves what moves with them: counts, update time, and once a
-- second the update time the index knows. Tells followers, with the turns when
-- they are small. `keys`: of the session, which the caller lets `stay`
-- afterwards; `state`: of the log, and changed with it; `first`: where in ARGV
-- the turns begin, through its end: a line of two words for each, whom it counts
-- for (see above) and how long its body is in bytes, then what is stored of each:
-- its frame, but for seq and time, a character for each byte.
-- `run`: that of the run they begin ('' = none).
-- Returns when they were stored.
local function append(keys, channel, state, now, first, run)
  local log, stream, after, first_seq = keys[4], keys[5], state.kept, format('%d', state.last + 1)
  local at = whole(math.max(now, state.updated))
  local seq, counts = state.last, nil
  local turn = first
  for who in string.gmatch(ARGV[first], '(%S+) %S+') do
    turn = turn + 1
    seq = seq + 1
    local participant = counted(who, state.roster)
    if participant ~= '' then
      counts = counts or cjson.decode(state.by or '{}')
      counts[participant] = (counts[participant] or 0) + 1
    end
    call('XADD', stream, format('%d-%s', seq, at), participant, ARGV[turn])
  end
  state.first = state.count == 0
  state.count = state.count + seq - state.last
  state.last = seq
  state.kept = format('%d', seq)
  call('HSET', log, 'last', state.kept, 'kept', state.kept, 'count', state.count, 'updated', at)
  if counts then call('HSET', log, 'by', cjson.encode(counts)) end
  moved(keys[1], log, at, state.indexed)
  local turns = table.concat(ARGV, '', first + 1)
  call('SPUBLISH', channel, #turns > BIGGEST_NEWS and ''
    or table.concat({state.created, state.epoch, after, first_seq, at, run}, ' ') .. '\n' .. turns)
  return at
end
