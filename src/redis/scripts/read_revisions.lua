-- Effect: none. Reads a session with its past configs revisions, as they were at one time.
-- KEYS: 1 session document, 2 configs revisions
-- ARGV: 1 the first revision
-- Returns: {} when there is no session, else {document, revision, its entry, the next revision …}

local document = redis.call('JSON.GET', KEYS[1])
if not document then return {} end
local read = {document}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], ARGV[1], '+')) do
  read[#read + 1] = string.match(entry[1], '^%d+')
  read[#read + 1] = entry[2][2]
end
return read
