-- Shared by the scripts that mutate a session; stands before each of them.

local DONE, REPLAY, CONFLICT, REUSED = 1, 2, -1, -2

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

-- The mutation was computed from a session with this etag ('' = from none).
-- Returns nil when that is what is there, else the session that is.
local function conflict(session, etag)
  local current = redis.call('JSON.GET', session, 'etag')
  if (current or '""') == '"' .. etag .. '"' then return nil end
  return {CONFLICT, redis.call('JSON.GET', session)}
end
