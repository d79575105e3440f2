-- Effect: none; reads turns between bounds, as many as were asked for and fit.
-- KEYS: 1 log, 2 turns
-- ARGV: 1 which turns, in words: only those after this seq, only those before this seq ('-' = any),
--     only those stored at this time in µs or later ('-' = any), only earlier than this one ('-' = any),
--     'FORWARD' = from the oldest, 'BACKWARD' = from the newest,
--     how many at most, how many bytes at most, but one entry always
--   2 '1' = as a list, with whom they count for
--   3 the state the log had when the caller read these turns ('' = has none)
-- Returns: {} when there is no session, {''} when its state is what it was, {state} when its turns are,
--   else {state, ids, turns, after, before, '1' when there are more}
--   state: time of creation, epoch, last turn seq, why the epoch began or '-', '1' when the session is deleted,
--     when it ends in ms since the epoch or -1, the seq numbering goes on after, how many turns there are,
--     the newest run or '-', the last turn before its answer, '1' when it answers still, the epoch it began in
--   ids: for each entry the seq of its last turn, when they were stored and how many they are, '-' between, the oldest
--     first, a space between entries
--   turns: what is in them, one after the other; as a list, for each its field (see entries.lua) and its turns
--   after, before: the bounds, by seq alone. The first and the last entry may have turns beyond them, and together
--     they may have more than were asked for

-- The first entries tell how large the others may be.
local FIRST = 8

local log, turns = KEYS[1], KEYS[2]
local bounds, listed, known = ARGV[1], ARGV[2] == '1', ARGV[3]

local state = redis.call('HMGET', log, 'created', 'epoch', 'kept', 'reset', 'deleted', 'last', 'count', 'run',
  'asked', 'running', 'asked_in')
if not state[5] then return {} end
local kept = tonumber(state[3] or 0)
local described = table.concat({state[1] or '0', state[2] or '0', state[3] or '0', state[4] or '-', state[5],
  string.format('%.0f', redis.call('PEXPIRETIME', log)), state[6] or '0', state[7] or '0', state[8] or '-',
  state[9] or '0', state[10] and '1' or '0', state[11] or '0'}, ' ')

if described == known then return {''} end
-- As long as a session has the same epoch and the same last turn it has the same turns.
local TURNS = '^%S+ %S+ %S+'
if known ~= '' and string.match(described, TURNS) == string.match(known, TURNS) then return {described} end

local words = {}
for word in string.gmatch(bounds, '%S+') do words[#words + 1] = word end
local after, before, since, til = tonumber(words[1]), tonumber(words[2]), tonumber(words[3]), tonumber(words[4])
local forward, count, budget = words[5] == 'FORWARD', tonumber(words[6]), tonumber(words[7])

-- The smallest seq from which on all turns are as late as this. Turns are in order of time.
local function first_since(time)
  local low, high = 1, kept + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', turns, string.format('%.0f', middle), '+', 'COUNT', 1)[1]
    local last, at
    if entry then last, at = parse_entry(entry) end
    if not last or tonumber(at) >= time then high = middle else low = math.max(last, middle) + 1 end
  end
  return low
end

before = math.min(before or kept + 1, kept + 1)
if since and kept > 0 then after = math.max(after, first_since(since) - 1) end
if til and kept > 0 then before = math.min(before, first_since(til)) end

-- The entry that has the last of the turns may have others after it.
local bottom, top = string.format('%.0f', after + 1), '+'
if after + 1 < before and before <= kept then
  local entry = redis.call('XRANGE', turns, string.format('%.0f', before - 1), '+', 'COUNT', 1)[1]
  local last, _, size = parse_entry(entry)
  top = last - size + 1 < before and entry[1] or string.format('%.0f', before - 1)
end

local ids, read, size, bytes = {}, {}, 0, 0
local more = count == 0 and after + 1 < before
local done = after + 1 >= before
while not more and not done do -- to see whether there are more, one turn too many is read
  local limit = FIRST
  if size > 0 then
    limit = math.floor(math.min((budget - bytes) / bytes, (count - size + 1) / size) * #ids)
  end
  limit = math.max(1, math.min(limit, count - size + 1))
  local entries = forward and redis.call('XRANGE', turns, bottom, top, 'COUNT', limit)
    or redis.call('XREVRANGE', turns, top, bottom, 'COUNT', limit)
  done = #entries < limit
  for _, entry in ipairs(entries) do
    local value = entry[2][2]
    local last, at, entry_size, who = parse_entry(entry)
    local inside = math.min(last, before - 1) - math.max(last - entry_size, after)
    if inside > 0 then
      more = size >= count or (size > 0 and bytes + #value > budget)
      if more then break end
      size, bytes = size + inside, bytes + #value
      ids[#ids + 1] = table.concat({string.format('%.0f', last), at, entry_size}, '-')
      read[#read + 1] = listed and {entry_size .. ' ' .. who, value} or value
    end
    if forward then bottom = '(' .. entry[1] else top = '(' .. entry[1] end
  end
  more = more or size > count
end
if not forward then
  for left = 1, math.floor(#ids / 2) do
    local right = #ids - left + 1
    ids[left], ids[right] = ids[right], ids[left]
    read[left], read[right] = read[right], read[left]
  end
end
return {described, table.concat(ids, ' '), listed and read or table.concat(read), string.format('%.0f', after),
  string.format('%.0f', before), more and '1' or '0'}
