-- Effect: appends turns to the log of a session, all of them, and moves what
--   moves with them: counts, update time, a sliding end, and once a second the
--   update time the index knows. Tells followers, with the turns when they are small.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns
-- ARGV: 1 field of the answer ('' = none), 2 fingerprint, 3 lifetime in ms
--   4 doorbell channel, 5 now in µs, 6 last turn seq the log must have ('' = any)
--   then for each turn three:
--   whom it counts for ('@id' = that participant if it has a row, 'USER' or 'AGENT' = the only one bound, '' = nobody)
--   how long its body is in bytes, and the body: the encoded turn but for seq and time, a character for each byte
-- Returns: {DONE, answer} | {REPLAY, answer} | {REUSED} | {ABSENT} | {DELETED} | {MISMATCH, last turn seq} | {FULL}
--   answer: first seq, time in µs, epoch, time of creation

local MISMATCH, FULL = -5, -6
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

local session, answers, log, turns = KEYS[1], KEYS[2], KEYS[4], KEYS[5]
local field, fingerprint, lifetime, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, expected = tonumber(ARGV[5]), ARGV[6]

local refusal = replay(answers, field, fingerprint)
if refusal then return refusal end

local state = redis.call('HMGET', log, 'deleted', 'last', 'kept', 'count', 'updated', 'indexed', 'epoch',
  'created', 'sliding', 'roster', 'by')
local deleted, last, kept, count = state[1], tonumber(state[2] or 0), state[3] or '0', tonumber(state[4] or 0)
local updated, indexed, epoch, created = tonumber(state[5] or 0), tonumber(state[6] or 0), state[7] or '0', state[8] or '0'
local sliding, roster, by = state[9], state[10] or '', state[11]

if not deleted then return {ABSENT} end
if deleted == '1' then return {DELETED} end
if expected ~= '' and expected ~= kept then return {MISMATCH, kept} end
local appended = (#ARGV - 6) / 3
if last + appended > LAST_SEQ then return {FULL} end

local only = {}
only.USER, only.AGENT = string.match(roster, '^(.-)\n(.-)\n')
local counts
local at = whole(math.max(now, updated))
-- Turn.create_time = 6, a Timestamp of seconds = 1 and nanos = 2: as services/turn_messages.ts writes it.
local seconds = math.floor(tonumber(at) / 1000000)
local second_digits, second_length = varint(seconds)
local nano_digits, nano_length = varint((tonumber(at) - seconds * 1000000) * 1000)
local time_length = 2 + second_length + nano_length
local time = '\50' .. string.char(time_length) .. '\8' .. second_digits .. '\16' .. nano_digits
local news, bytes = {}, 0
for turn = 1, appended do
  local who, length, body = ARGV[4 + 3 * turn], tonumber(ARGV[5 + 3 * turn]), ARGV[6 + 3 * turn]
  local participant = only[who] or ''
  if string.sub(who, 1, 1) == '@' then
    participant = string.sub(who, 2)
    if not string.find(roster, '\n' .. participant .. '\n', 1, true) then participant = '' end
  end
  if participant ~= '' then
    counts = counts or cjson.decode(by or '{}')
    counts[participant] = (counts[participant] or 0) + 1
  end
  -- As an answer has it: field 1, a message, that begins with Turn.seq = 1.
  local seq_digits, seq_length = varint(last + turn)
  local value = '\10' .. varint(1 + seq_length + 2 + time_length + length) .. '\8' .. seq_digits .. time .. body
  redis.call('XADD', turns, string.format('%.0f-%s', last + turn, at), participant, value)
  news[turn] = value
  bytes = bytes + #value
end

local first = string.format('%.0f', last + 1)
local newest = string.format('%.0f', last + appended)
redis.call('HSET', log, 'last', newest, 'kept', newest, 'count', count + appended, 'updated', at)
if counts then redis.call('HSET', log, 'by', cjson.encode(counts)) end
moved(session, log, at, indexed)
stay(KEYS, at, sliding, count == 0 or field ~= '')
local answer = first .. ' ' .. at .. ' ' .. epoch .. ' ' .. created
remember(answers, field, fingerprint, answer, lifetime)
redis.call('SPUBLISH', channel, bytes > BIGGEST_NEWS and ''
  or created .. ' ' .. epoch .. ' ' .. kept .. '\n' .. table.concat(news))
return {DONE, answer}
