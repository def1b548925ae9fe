-- Write that a job has returned, if the claim still holds; 0 where it does not.
-- It comes to what `lifecycle.settle` makes of that.
-- KEYS: row, leases, finished, and the prefix of the others
-- ARGV: id, fence, worker, longest gap, result, and the progress where there is a new one
local row, leases, finished, prefix = unpack(KEYS)
local id = ARGV[1]

local before = redis.call('HMGET', row, 'fence', 'worker', 'state', 'longest_gap', 'enqueued_at')
if before[1] ~= ARGV[2] or before[2] ~= ARGV[3] then
    return 0
end

local time = redis.call('TIME')
local now = string.format('%d.%06d', time[1], time[2])
redis.call('HSET', row, 'state', 'completed', 'saved_at', now, 'finished_at', now,
    'result', ARGV[5], 'ended_by', before[2],
    'deaths', '0')
redis.call('HDEL', row, 'worker', 'lease_until')
redis.call('HINCRBY', row, 'revision', 1)
if ARGV[6] then
    redis.call('HSET', row, 'progress', ARGV[6])
end
if tonumber(ARGV[4]) > tonumber(before[4]) then
    redis.call('HSET', row, 'longest_gap', ARGV[4])
end
redis.call('ZREM', prefix .. 'state:' .. before[3], id)
redis.call('ZADD', prefix .. 'state:completed', before[5], id)
redis.call('SREM', prefix .. 'worker:' .. before[2], id)
redis.call('ZREM', leases, id)
redis.call('ZADD', finished, now, id)
return 1
