-- Shared by the scripts that write a run's events; stands behind log.lua.

local BUSY, EXPIRED, WAITING, MOVED, GONE = -8, -9, -10, -11, -12

-- Whether a run is under way, and still the one that this process may write.
local function holds(log, run, fence)
  local held = redis.call('HMGET', log, 'running', 'fence')
  return held[1] == run and held[2] == fence
end

-- Tells whoever listens to runs of events, and brings them along when they are small. `ended`: '-', or with the last
-- one the turn it left.
local function tell(channel, run, offset, ended, frames)
  redis.call('SPUBLISH', channel, run .. ' ' .. offset .. ' ' .. ended .. '\n'
    .. (#frames > BIGGEST_NEWS and '' or frames))
end

-- How long a run's events are kept: 24 hours, but no longer than a session that ends at a fixed time.
local function keep_run(session, run, lifetime, sliding)
  local ends = clock() + tonumber(lifetime)
  if not sliding then
    local last = redis.call('PEXPIRETIME', session)
    if last > 0 then ends = math.min(ends, last) end
  end
  redis.call('PEXPIREAT', run, whole(ends))
end
