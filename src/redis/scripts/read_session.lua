-- Effect: none. Reads a session as it is answered.
-- KEYS: 1 log
-- ARGV: 1 etag of the session that is known ('' = none)
-- Returns: activity, when the session is the known one | {activity, etag, session}, the last two '' where the log does
--   not have them

local moving = read_moving(KEYS[1])
local etag = moving[11] or ''
if etag ~= '' and etag == ARGV[1] then return told(moving) end
return {told(moving), etag, redis.call('HGET', KEYS[1], 'session') or ''}
