-- Shared by the scripts that append turns; stands behind the prelude.

local LAST_SEQ = 4294967295
local BIGGEST_NEWS = 64 * 1024

-- A byte as the character for it, in UTF-8.
local function character(byte)
  if byte < 128 then return string.char(byte) end
  return string.char(192 + math.floor(byte / 64), 128 + byte % 64)
end

-- A number as protobuf writes it (base 128, the lowest digits first), and how many bytes that takes.
local function varint(number)
  local digits, length = '', 1
  while number >= 128 do
    digits = digits .. character(128 + number % 128)
    number = math.floor(number / 128)
    length = length + 1
  end
  return digits .. string.char(number), length
end

-- A message as a field of another, `tag` being one byte; and how many bytes that takes.
local function embedded(tag, content, length)
  local digits, taken = varint(length)
  return tag .. digits .. content, 1 + taken + length
end

-- What appending has to know of a log; nil when there is no session.
local function read_log(log)
  local state = redis.call('HMGET', log, 'deleted', 'last', 'kept', 'count', 'updated', 'indexed', 'epoch',
    'created', 'sliding', 'roster', 'by')
  if not state[1] then return nil end
  return {deleted = state[1] == '1', last = tonumber(state[2] or 0), kept = state[3] or '0',
    count = tonumber(state[4] or 0), updated = tonumber(state[5] or 0), indexed = tonumber(state[6] or 0),
    epoch = state[7] or '0', created = state[8] or '0', sliding = state[9], roster = state[10] or '', by = state[11]}
end

-- Turn.create_time = 6, a Timestamp of seconds = 1 and nanos = 2: as services/turn_messages.ts writes it.
local function create_time(at)
  local seconds = math.floor(tonumber(at) / 1000000)
  local second_digits, second_length = varint(seconds)
  local nano_digits, nano_length = varint((tonumber(at) - seconds * 1000000) * 1000)
  return embedded('\50', '\8' .. second_digits .. '\16' .. nano_digits, 2 + second_length + nano_length)
end

-- Appends turns, and moves what moves with them: counts, update time, and once a
-- second the update time the index knows. Tells followers, with the turns when
-- they are small. `keys`: of the session, which the caller lets `stay`
-- afterwards; `state`: of the log, and changed with it; `turns`: three strings
-- for each:
--   whom it counts for ('@id' = that participant if it has a row, 'USER' or 'AGENT' = the only one bound, '' = nobody)
--   how long its body is in bytes, and the body: the encoded turn but for seq and time, a character for each byte
-- `run`: that of the run they begin ('' = none).
-- Returns the turns as frames, how many bytes those take, and when they were stored.
local function append(keys, channel, state, now, turns, run)
  local log, stream = keys[4], keys[5]
  local before, appended = state.kept, #turns / 3
  local only = {}
  only.USER, only.AGENT = string.match(state.roster, '^(.-)\n(.-)\n')
  local counts
  local at = whole(math.max(now, state.updated))
  local time, time_length = create_time(at)
  local frames, bytes = {}, 0
  for turn = 1, appended do
    local who, length, body = turns[3 * turn - 2], tonumber(turns[3 * turn - 1]), turns[3 * turn]
    local participant = only[who] or ''
    if string.sub(who, 1, 1) == '@' then
      participant = string.sub(who, 2)
      if not string.find(state.roster, '\n' .. participant .. '\n', 1, true) then participant = '' end
    end
    if participant ~= '' then
      counts = counts or cjson.decode(state.by or '{}')
      counts[participant] = (counts[participant] or 0) + 1
    end
    -- As an answer has it: field 1, a message, that begins with Turn.seq = 1.
    local seq_digits, seq_length = varint(state.last + turn)
    local frame, size = embedded('\10', '\8' .. seq_digits .. time .. body, 1 + seq_length + time_length + length)
    redis.call('XADD', stream, string.format('%.0f-%s', state.last + turn, at), participant, frame)
    frames[turn] = frame
    bytes = bytes + size
  end
  state.first = state.count == 0
  state.last = state.last + appended
  state.kept = string.format('%.0f', state.last)
  state.count = state.count + appended
  redis.call('HSET', log, 'last', state.kept, 'kept', state.kept, 'count', state.count, 'updated', at)
  if counts then redis.call('HSET', log, 'by', cjson.encode(counts)) end
  moved(keys[1], log, at, state.indexed)
  local all = table.concat(frames)
  redis.call('SPUBLISH', channel, #all > BIGGEST_NEWS and ''
    or state.created .. ' ' .. state.epoch .. ' ' .. before .. ' ' .. run .. '\n' .. all)
  return all, bytes, at
end

-- The arguments from one on, as append takes turns.
local function turns_from(first)
  local turns = {}
  for at = first, #ARGV do turns[#turns + 1] = ARGV[at] end
  return turns
end
