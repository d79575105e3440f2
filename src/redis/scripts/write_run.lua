-- Effect: adds events to a run, and holds it for longer; nothing when the run is no longer this process's.
-- KEYS: 1 log, 2 the run's events
-- ARGV: 1 run id, 2 fence, 3 lease in ms, 4 channel of events, 5 offset of the first event, 6 … events as frames
-- Returns: {DONE} | {GONE}

local log, events = KEYS[1], KEYS[2]
local run, first = ARGV[1], tonumber(ARGV[5])

if not holds(log, run, ARGV[2]) then return {GONE} end
redis.call('HSET', log, 'lease', whole(clock() + tonumber(ARGV[3])))
if #ARGV < 6 then return {DONE} end
-- A write whose acknowledgement was lost comes again.
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
if last and tonumber(string.match(last[1], '^%d+')) >= first then return {DONE} end
for at = 6, #ARGV do
  redis.call('XADD', events, string.format('%.0f-0', first + at - 6), 'event', ARGV[at])
end
tell(ARGV[4], run, ARGV[5], '-', table.concat(ARGV, '', 6))
return {DONE}
