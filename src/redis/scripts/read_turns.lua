-- Effect: none; reads turns between bounds, as many as were asked for and fit.
-- KEYS: 1 log, 2 turns
-- ARGV: 1 which turns, in words: only those after this seq, only those before this seq ('-' = any),
--     only those stored at this time in µs or later ('-' = any), only earlier than this one ('-' = any),
--     'FORWARD' = from the oldest, 'BACKWARD' = from the newest,
--     how many at most, how many bytes at most, but one turn always
--   2 '1' = as a list, with whom they count for
--   3 the state the log had when the caller read these turns ('' = has none)
-- Returns: {} when there is no session, {''} when its state is what it was, {state} when its turns are,
--   else {state, ids, turns, the last seq read, '1' when there are more}
--   state: time of creation, epoch, last turn seq, why the epoch began or '-', '1' when the session is deleted,
--     when it ends in ms since the epoch or -1, the seq numbering goes on after, how many turns there are,
--     the newest run or '-', the last turn before its answer, '1' when it answers still, the epoch it began in
--   ids: seq-microseconds, a space between; turns: one after the other, as log.lua stores them; the oldest first
--   as a list, turns: for each whom it counts for and the turn

-- The first turns tell how large the others may be.
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
    local seq, at = string.match(entry and entry[1] or '', '^(%d+)-(%d+)$')
    if not seq or tonumber(at) >= time then high = middle else low = tonumber(seq) + 1 end
  end
  return low
end

before = math.min(before or kept + 1, kept + 1)
if since and kept > 0 then after = math.max(after, first_since(since) - 1) end
if til and kept > 0 then before = math.min(before, first_since(til)) end

local ids, read, size, bytes, last = {}, {}, 0, 0, '0'
local more = count == 0 and after + 1 < before
while after + 1 < before and not more do -- to see whether there are more, one turn too many is read
  local limit = FIRST
  if size > 0 then limit = math.max(1, math.floor((budget - bytes) * size / bytes)) end
  limit = math.min(limit, count - size + 1)
  local low, high = string.format('%.0f', after + 1), string.format('%.0f', before - 1)
  local entries = forward and redis.call('XRANGE', turns, low, high, 'COUNT', limit)
    or redis.call('XREVRANGE', turns, high, low, 'COUNT', limit)
  for _, entry in ipairs(entries) do
    local value = entry[2][2]
    if size == count or (size > 0 and bytes + #value > budget) then
      more = true
      break
    end
    size, bytes, last = size + 1, bytes + #value, string.match(entry[1], '^%d+')
    ids[size] = entry[1]
    read[size] = listed and entry[2] or value
  end
  if forward then after = tonumber(last) else before = tonumber(last) end
  if #entries < limit then break end
end
if not forward then
  for low = 1, math.floor(size / 2) do
    local high = size - low + 1
    ids[low], ids[high] = ids[high], ids[low]
    read[low], read[high] = read[high], read[low]
  end
end
return {described, table.concat(ids, ' '), listed and read or table.concat(read), last, more and '1' or '0'}
