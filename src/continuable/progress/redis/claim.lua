-- Claim a job that simply waits; nothing is given back, and nothing done, where more is to be
-- looked into. It comes to what `transitions.claim` makes of such a row.
-- KEYS: row, leases, and the prefix of the others
-- ARGV: id, worker, lease, the message's delivery and executions, and its envelope if it has one
local row, leases, prefix = unpack(KEYS)
local id, worker, delivery, executions = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])

local before = redis.call('HMGET', row, 'state', 'delivery', 'executions', 'issued', 'started_at')
local state = before[1]
if state ~= 'waiting' and state ~= 'interrupted' then
    return nil
end
if tonumber(before[2]) > delivery or tonumber(before[3]) < executions then
    return nil
end

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local lease_until = string.format('%.6f', now + tonumber(ARGV[3]))
redis.call('HSET', row, 'state', 'running', 'worker', worker, 'lease_until', lease_until,
    'sequence', '0', 'delivery', ARGV[4])
redis.call('HDEL', row, 'run_at')
redis.call('HINCRBY', row, 'fence', 1)
redis.call('HINCRBY', row, 'executions', 1)
redis.call('HINCRBY', row, 'revision', 1)
if tonumber(before[4]) < delivery then
    redis.call('HSET', row, 'issued', ARGV[4])
end
if not before[5] then
    redis.call('HSET', row, 'started_at', string.format('%.6f', now))
end
if ARGV[6] then
    redis.call('HSET', row, 'envelope', ARGV[6])
end
redis.call('SREM', prefix .. 'state:' .. state, id)
redis.call('SADD', prefix .. 'state:running', id)
redis.call('SADD', prefix .. 'worker:' .. worker, id)
redis.call('ZADD', leases, lease_until, id)
-- One text is read faster than many.
return cjson.encode(redis.call('HMGET', row, 'name', 'arguments', 'queue', 'priority',
    'executions', 'resumptions', 'issued', 'envelope', 'progress', 'fence', 'failures', 'reason'))
