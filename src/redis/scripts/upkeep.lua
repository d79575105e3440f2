-- Shared by the scripts that change what is beside a session's document; stands behind documents.lua.

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
  keep_documents(keys[1], keys[4], whole(ends), sliding)
end
