-- Shared by the scripts that write what was computed from a session; stands behind prelude.lua and activity.lua.

-- The mutation was computed from a session with this etag ('' = from none) and
-- last turn seq ('' = whichever). Returns nil when that is what is there, else
-- the session that is, with its activity. `moving`: as the log has it.
local function conflict(session, etag, moving, seq)
  local current = moving[11]
  if not current then -- there is none, or it was written before its log knew its etag
    current = redis.call('EXISTS', session) == 1 and string.sub(redis.call('JSON.GET', session, 'etag'), 2, -2) or ''
  end
  local same = current == etag and (seq == '' or (moving[2] or '0') == seq)
  if same then return nil end
  return {CONFLICT, redis.call('JSON.GET', session), told(moving)}
end
