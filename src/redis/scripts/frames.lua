-- Shared by the scripts whose events of a run have turns in them; stands behind log.lua.

local char, floor = string.char, math.floor

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

-- Turn.create_time = 6, a Timestamp of seconds = 1 and nanos = 2: as services/turn_messages.ts writes it.
local function create_time(at)
  local seconds = floor(tonumber(at) / 1000000)
  local second_digits, second_length = varint(seconds)
  local nano_digits, nano_length = varint((tonumber(at) - seconds * 1000000) * 1000)
  return embedded('\50', '\8' .. second_digits .. '\16' .. nano_digits, 2 + second_length + nano_length)
end

-- Appends turns, see `append`. Returns them as the frames they are read as, how many bytes those take, and when they
-- were stored.
local function append_framed(keys, channel, state, now, first, run)
  local seq, turn = state.last, first
  local at = append(keys, channel, state, now, first, run)
  local time, time_length = create_time(at)
  local frames, bytes = {}, 0
  for size in string.gmatch(ARGV[first], '%S+ (%S+)') do
    turn = turn + 1
    seq = seq + 1
    local body = string.sub(ARGV[turn], 2 + #varint(tonumber(size)))
    -- As services/turn_messages.ts writes it: field 1, a message, that begins with Turn.seq = 1.
    local digits, taken = varint(seq)
    local frame, length = embedded('\10', '\8' .. digits .. time .. body, 1 + taken + time_length + size)
    frames[turn - first] = frame
    bytes = bytes + length
  end
  return table.concat(frames), bytes, at
end

-- A ChatEvent as a frame: `head`, then the message `tag` with the turns and the rest of it.
local function event_frame(head, head_length, tag, turns, turns_length, tail, tail_length)
  local event, length = embedded(tag, turns .. tail, turns_length + tail_length)
  return (embedded('\10', head .. event, head_length + length))
end
