-- Shared by the scripts that ask whether a run may start; stands behind run.lua.

local CROWDED = -13

-- Why a run may not start yet, as a script answers it; nil when it may. Who has a ticket ('' = does not wait) gets a
-- place among those who wait, and keeps it until the run has started. `first`: goes before all of them.
-- `most`: how many may wait; `good`: how long a ticket is good in ms.
local function in_the_way(log, queue, time, ticket, first, most, good)
  -- Who waits: a ticket each, with its number and how long it is good.
  local waiting, ahead, number, newest = 0, false, nil, 0
  local tickets = redis.call('HGETALL', queue)
  for at = 1, #tickets, 2 do
    local arrived, good_until = string.match(tickets[at + 1], '^(%d+) (%d+)$')
    if tonumber(good_until) < time then redis.call('HDEL', queue, tickets[at])
    else
      waiting = waiting + 1
      newest = math.max(newest, tonumber(arrived))
      if tickets[at] == ticket then number = tonumber(arrived) end
    end
  end
  for at = 1, #tickets, 2 do
    local arrived, good_until = string.match(tickets[at + 1], '^(%d+) (%d+)$')
    if tonumber(good_until) >= time and tickets[at] ~= ticket and (not number or tonumber(arrived) < number) then ahead = true end
  end

  local busy_with = redis.call('HMGET', log, 'running', 'lease')
  if busy_with[1] and tonumber(busy_with[2]) < time then return {EXPIRED, busy_with[1]} end
  local waits = busy_with[1] or (ahead and not first)
  if waits and ticket == '' then return {BUSY, busy_with[1] or ''} end
  if waits and not number then
    if waiting >= most then return {CROWDED} end
    number = newest + 1
  end
  if number then
    redis.call('HSET', queue, ticket, number .. ' ' .. whole(time + good))
    redis.call('PEXPIRE', queue, whole(2 * good))
  end
  return waits and {WAITING} or nil
end
