-- Shared by the scripts that tell of a session.

-- What moves with every turn, as the log has it, how the session's keys end, and its etag.
local function read_moving(log)
  return redis.call('HMGET', log, 'updated', 'kept', 'count', 'by', 'running', 'summary', 'summarized', 'learnt', 'docs',
    'sliding', 'etag')
end

local function quoted(text)
  return text and cjson.encode(text) or '""'
end

-- What moves with every turn, as JSON: update time, last turn seq, turn count, turns by participant, the run that
-- answers, the summary and the last turn it covers, of each agent how far it learnt and how many insights it has,
-- how many documents there are. Of texts alone: writing a number takes Lua longer than all the rest.
local function told(moving)
  return '[' .. (moving[1] or '0') .. ',' .. (moving[2] or '0') .. ',' .. (moving[3] or '0') .. ','
    .. (moving[4] or 'null') .. ',' .. quoted(moving[5]) .. ',' .. quoted(moving[6]) .. ',' .. (moving[7] or '0') .. ','
    .. (moving[8] or 'null') .. ',' .. (moving[9] or '0') .. ']'
end
