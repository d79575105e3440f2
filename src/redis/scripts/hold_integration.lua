-- Effect: holds an integration for longer, if it still is this process's.
-- KEYS: 1 log
-- ARGV: 1 fence, 2 lease in ms
-- Returns: {DONE} | {GONE}

if not integrates(KEYS[1], ARGV[1]) then return {GONE} end
hold(KEYS[1], ARGV[2])
return {DONE}
