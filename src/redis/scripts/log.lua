-- Shared by the scripts that append turns; stands behind upkeep.lua.

local LAST_SEQ = 4294967295
local BIGGEST_NEWS = 64 * 1024

-- What is called for every turn, at hand: a global is looked up twice.
local call, char, floor, format = redis.call, string.char, math.floor, string.format

-- A number as protobuf writes it (base 128, the lowest digits first), and how many bytes that takes. As text: a digit
-- that others follow has a bit more, and so is a character of two bytes in UTF-8.
local function varint(number)
  if number < 128 then return char(number), 1 end
  local low, rest = number % 128, floor(number / 128)
  local first, second = 194, 128 + low
  if low >= 64 then first, second = 195, 64 + low end
  if rest < 128 then return char(first, second, rest), 2 end
  local digits, length = varint(rest)
  return char(first, second) .. digits, 1 + length
end

-- A message as a field of another, `tag` being one byte; and how many bytes that takes.
local function embedded(tag, content, length)
  local digits, taken = varint(length)
  return tag .. digits .. content, 1 + taken + length
end

-- What appending has to know of a log; nil when there is no session.
local function read_log(log)
  local state = call('HMGET', log, 'deleted', 'last', 'kept', 'count', 'updated', 'indexed', 'epoch',
    'created', 'sliding', 'roster', 'by')
  if not state[1] then return nil end
  return {deleted = state[1] == '1', last = tonumber(state[2] or 0), kept = state[3] or '0',
    count = tonumber(state[4] or 0), updated = tonumber(state[5] or 0), indexed = tonumber(state[6] or 0),
    epoch = state[7] or '0', created = state[8] or '0', sliding = state[9], roster = state[10] or '', by = state[11]}
end

-- Turn.create_time = 6, a Timestamp of seconds = 1 and nanos = 2: as services/turn_messages.ts writes it.
local function create_time(at)
  local seconds = floor(tonumber(at) / 1000000)
  local second_digits, second_length = varint(seconds)
  local nano_digits, nano_length = varint((tonumber(at) - seconds * 1000000) * 1000)
  return embedded('\50', '\8' .. second_digits .. '\16' .. nano_digits, 2 + second_length + nano_length)
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
-- for (see above) and how long its body is in bytes, then the bodies: the encoded
-- turns but for seq and time, a character for each byte.
-- `run`: that of the run they begin ('' = none).
-- Returns the turns as frames, how many bytes those take, and when they were stored.
local function append(keys, channel, state, now, first, run)
  local log, stream, before = keys[4], keys[5], state.kept
  local at = whole(math.max(now, state.updated))
  local time, time_length = create_time(at)
  local seq, counts = state.last, nil
  local frames, bytes = {}, 0
  local turn = first
  for who, size in string.gmatch(ARGV[first], '(%S+) (%S+)') do
    turn = turn + 1
    seq = seq + 1
    local participant = counted(who, state.roster)
    if participant ~= '' then
      counts = counts or cjson.decode(state.by or '{}')
      counts[participant] = (counts[participant] or 0) + 1
    end
    -- As an answer has it: field 1, a message, that begins with Turn.seq = 1.
    local seq_digits, seq_length = varint(seq)
    local length = 1 + seq_length + time_length + size
    local digits, taken = varint(length)
    local frame = '\10' .. digits .. '\8' .. seq_digits .. time .. ARGV[turn]
    call('XADD', stream, format('%d-%s', seq, at), participant, frame)
    frames[#frames + 1] = frame
    bytes = bytes + 1 + taken + length
  end
  state.first = state.count == 0
  state.count = state.count + seq - state.last
  state.last = seq
  state.kept = format('%d', seq)
  call('HSET', log, 'last', state.kept, 'kept', state.kept, 'count', state.count, 'updated', at)
  if counts then call('HSET', log, 'by', cjson.encode(counts)) end
  moved(keys[1], log, at, state.indexed)
  local all = table.concat(frames)
  call('SPUBLISH', channel, #all > BIGGEST_NEWS and ''
    or state.created .. ' ' .. state.epoch .. ' ' .. before .. ' ' .. run .. '\n' .. all)
  return all, bytes, at
end
