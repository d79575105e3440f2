-- Effect: none; reads events of a run, as many as fit, and how it is doing.
-- KEYS: 1 log, 2 the run's events
-- ARGV: 1 only events after this offset, 2 how many at most, 3 how many bytes at most, but one event always
-- Returns: {} when there is no session, {deleted} when there is no such run, else
--   {deleted, time in µs it started, model, agent, offset of the last event, status or '', turn, time it ended, error,
--   events one after the other, offset of the last of these}

local AT_ONCE = 64

local log, events = KEYS[1], KEYS[2]
local after, count, budget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local state = redis.call('HMGET', log, 'deleted', 'created')
if not state[1] then return {} end
local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
if not first then return {state[1]} end
local _, _, _, created, _, at, _, model, _, agent = unpack(first[2])
if created ~= (state[2] or '0') then return {state[1]} end -- of another session that had this id
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
local status, seq, ended, why = '', '0', '', ''
if last[2][3] == 'status' then
  status, seq, ended, why = last[2][4], last[2][6], last[2][8], last[2][10]
end

local read, size, bytes, offset = {}, 0, 0, ARGV[1]
while size < count do
  local limit = math.min(AT_ONCE, count - size)
  local entries = redis.call('XRANGE', events, string.format('(%s-0', offset), '+', 'COUNT', limit)
  for _, entry in ipairs(entries) do
    local frame = entry[2][2]
    if size > 0 and bytes + #frame > budget then
      count = 0
      break
    end
    size, bytes, offset = size + 1, bytes + #frame, string.match(entry[1], '^%d+')
    read[size] = frame
  end
  if #entries < limit then break end
end
return {state[1], at, model, agent, string.match(last[1], '^%d+'), status, seq, ended, why, table.concat(read), offset}
