-- Effect: removes everything of a session, if it still is what the purge was
--   decided on, but the answers of this purge and of deletes before it, so that
--   they can be repeated.
-- KEYS: 1 session document, 2 answers by request id, 3 configs revisions, 4 log, 5 turns, 6 insights
-- ARGV: 1 etag the session must have
--   2 doorbell channel, 3 what the keys of the session's runs begin with
--   and if an answer is to be remembered: 4 its field, 5 fingerprint, 6 the answer, 7 its lifetime in ms
-- Returns: {DONE, activity} | {REPLAY, activity and answer} | {REUSED} | {CONFLICT, document or nil, activity}
--   | {RUNNING, run id}

local session, answers, log = KEYS[1], KEYS[2], KEYS[4]
local etag, channel, runs = ARGV[1], ARGV[2], ARGV[3]
local field, fingerprint, answer, lifetime = ARGV[4] or '', ARGV[5], ARGV[6] or '', ARGV[7]

local deletes = 'DeleteSession:'

local moving = read_moving(log)
local refusal = replay(answers, field, fingerprint) or conflict(session, etag, moving, '') or busy(moving[5])
if refusal then return refusal end

for _, name in ipairs(redis.call('HKEYS', log)) do
  local run = string.match(name, '^run:(.+)$')
  if run then redis.call('UNLINK', runs .. run) end
end
local documents = documents_of(session)
documents.each_key(documents.remove)
redis.call('UNLINK', documents.list)
for at, key in ipairs(KEYS) do
  if at ~= 2 then redis.call('UNLINK', key) end
end
-- Of the answers only those of deletes stay: a retried one must never purge whoever has the id next.
for _, answered in ipairs(redis.call('HKEYS', answers)) do
  if string.sub(answered, 1, #deletes) ~= deletes then redis.call('HDEL', answers, answered) end
end
redis.call('PERSIST', answers)
remember(answers, field, fingerprint, told(moving) .. '\n' .. answer, lifetime)
redis.call('SPUBLISH', channel, '')
return {DONE, told(moving)}
