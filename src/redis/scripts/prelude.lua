-- Shared by the scripts that mutate a session; stands before each of them.

local DONE, REPLAY, CONFLICT, REUSED, ABSENT, DELETED, RUNNING = 1, 2, -1, -2, -3, -4, -7

-- An answer that was given under this request id is given again.
-- Returns nil when the operation is new, or has no request id.
local function replay(answers, field, fingerprint)
  if field == '' then return nil end
  local remembered = redis.call('HGET', answers, field)
  if not remembered then return nil end
  local length = #fingerprint
  if string.sub(remembered, 1, length) ~= fingerprint then return {REUSED} end
  return {REPLAY, string.sub(remembered, length + 1)}
end

local function remember(answers, field, fingerprint, answer, lifetime)
  if field == '' then return end
  redis.call('HSET', answers, field, fingerprint .. answer)
  redis.call('HPEXPIRE', answers, lifetime, 'FIELDS', 1, field)
end

-- Milliseconds since the epoch, by the one clock all processes share.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Microseconds have more digits than Lua writes by itself.
local function whole(number)
  return string.format('%.0f', number)
end

-- What moves with every turn, as JSON: update time, last turn seq, turn count, turns by participant, the run that
-- answers, the summary and the last turn it covers, and of each agent how far it learnt and how many insights it has.
local function activity(log)
  local moving = redis.call('HMGET', log, 'updated', 'kept', 'count', 'by', 'running', 'summary', 'summarized',
    'learnt')
  return '[' .. (moving[1] or 0) .. ',' .. (moving[2] or 0) .. ',' .. (moving[3] or 0) .. ','
    .. (moving[4] or 'null') .. ',' .. cjson.encode(moving[5] or '') .. ',' .. cjson.encode(moving[6] or '') .. ','
    .. (moving[7] or 0) .. ',' .. (moving[8] or 'null') .. ']'
end

-- What may not happen while a run answers: whoever wants it ends the run first.
local function busy(log)
  local run = redis.call('HGET', log, 'running')
  return run and {RUNNING, run} or nil
end

-- The mutation was computed from a session with this etag ('' = from none) and
-- last turn seq ('' = whichever). Returns nil when that is what is there, else
-- the session that is, with its activity.
local function conflict(session, etag, log, seq)
  local current = redis.call('JSON.GET', session, 'etag')
  local same = (current or '""') == '"' .. etag .. '"'
  if same and seq ~= '' then same = (redis.call('HGET', log, 'kept') or '0') == seq end
  if same then return nil end
  return {CONFLICT, redis.call('JSON.GET', session), activity(log)}
end

-- A page by update time may lag by a second: indexing a session costs more than a turn does.
local INDEX_LAG = 1000000

local function moved(session, log, at, indexed)
  if tonumber(at) - indexed < INDEX_LAG then return end
  redis.call('JSON.SET', session, '$.updateTime', at)
  redis.call('HSET', log, 'indexed', at)
end

-- All keys of a session end with it: later after each change when it slides, and
-- `new` ones when the others do.
local function stay(keys, at, sliding, new)
  local ends
  if sliding then
    ends = math.ceil(tonumber(at) / 1000) + tonumber(sliding)
  elseif new then
    ends = redis.call('PEXPIRETIME', keys[1])
    if ends < 0 then ends = nil end
  end
  if not ends then return end
  for slot = 1, 6 do redis.call('PEXPIREAT', keys[slot], whole(ends)) end
end
