-- Shared by the scripts that change a session; stands before everything else of theirs.
-- What a script is put together of is made anew each time it runs, whether it is called or not: hence the parts.

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

-- What may not happen while a run answers: whoever wants it ends the run first. `run`: the log's `running`.
local function busy(run)
  return run and {RUNNING, run} or nil
end
