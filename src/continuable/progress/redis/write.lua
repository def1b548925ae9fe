-- Write a row if nobody has written it since it was read, and keep the indexes true to it.
-- KEYS: row, history, all, leases, finished, failed, and the prefix of the others
-- ARGV: id, revision read, how many entries the history keeps, how many are new,
--       the new entries, then the row as name, value, name, value
local row, history, all, leases, finished, failed, prefix = unpack(KEYS)
local id, revision, keep, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local before = redis.call('HMGET', row, 'revision', 'state', 'worker')
if (before[1] or '') ~= revision then
    return 0
end
if before[2] then
    redis.call('ZREM', prefix .. 'state:' .. before[2], id)
end
if before[3] then
    redis.call('SREM', prefix .. 'worker:' .. before[3], id)
end

redis.call('DEL', row)
redis.call('HSET', row, unpack(ARGV, 5 + count))
redis.call('HINCRBY', row, 'revision', 1)

local after = redis.call('HMGET', row, 'state', 'worker', 'enqueued_at', 'lease_until', 'finished_at')
redis.call('ZADD', prefix .. 'state:' .. after[1], after[3], id)
if after[2] then
    redis.call('SADD', prefix .. 'worker:' .. after[2], id)
end
redis.call('ZADD', all, after[3], id)
if after[4] then
    redis.call('ZADD', leases, after[4], id)
else
    redis.call('ZREM', leases, id)
end
redis.call('ZREM', finished, id)
redis.call('ZREM', failed, id)
if after[5] then
    redis.call('ZADD', after[1] == 'failed' and failed or finished, after[5], id)
end
for number = 5, 4 + count do
    redis.call('RPUSH', history, ARGV[number])
end
redis.call('LTRIM', history, -keep, -1)
return 1
