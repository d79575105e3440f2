-- Shared by the scripts of integrations; stands behind upkeep.lua.

local BUSY, GONE, SUPERSEDED = -8, -12, -15

-- Whether an integration is under way, and still this process's.
local function integrates(log, fence)
  return redis.call('HGET', log, 'integration') == fence
end

local function hold(log, lease)
  redis.call('HSET', log, 'integration_lease', whole(clock() + tonumber(lease)))
end
