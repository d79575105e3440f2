-- Shared by the scripts whose events of a run have turns in them; stands behind log.lua and varint.lua.

-- A message as a field of another, `tag` being one byte; and how many bytes that takes.
local function embedded(tag, content, length)
  local digits, taken = varint(length)
  return tag .. digits .. content, 1 + taken + length
end

-- Turn.create_time = 6, a Timestamp of seconds = 1 and nanos = 2: as services/turn_messages.ts writes it.
local function create_time(at)
  local seconds = math.floor(tonumber(at) / 1000000)
  local second_digits, second_length = varint(seconds)
  local nano_digits, nano_length = varint((tonumber(at) - seconds * 1000000) * 1000)
  return embedded('\50', '\8' .. second_digits .. '\16' .. nano_digits, 2 + second_length + nano_length)
end

-- Appends turns, see `append`, each in an entry of its own. Returns them as the frames they are read as, how many bytes
-- those take, and when they were stored.
local function append_framed(keys, channel, state, now, first, run)
  local seq = state.last
  local at = append(keys, channel, state, now, first, run)
  local time, time_length = create_time(at)
  local frames, bytes = {}, 0
  for index = first + 1, #ARGV, 2 do
    seq = seq + 1
    local size, from = varint_at(ARGV[index], 2)
    -- As services/turn_messages.ts writes it: field 1, a message, that begins with Turn.seq = 1.
    local digits, taken = varint(seq)
    local body = string.sub(ARGV[index], from)
    local frame, length = embedded('\10', '\8' .. digits .. time .. body, 1 + taken + time_length + size)
    frames[#frames + 1] = frame
    bytes = bytes + length
  end
  return table.concat(frames), bytes, at
end

-- A ChatEvent as a frame: `head`, then the message `tag` with the turns and the rest of it.
local function event_frame(head, head_length, tag, turns, turns_length, tail, tail_length)
  local event, length = embedded(tag, turns .. tail, turns_length + tail_length)
  return (embedded('\10', head .. event, head_length + length))
end
