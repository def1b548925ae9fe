-- Claim a job that simply waits; nothing is given back, and nothing done, where more is to be
-- looked into. It comes to what `lifecycle.claim` makes of such a row.
-- KEYS: row, leases, and the prefix of the others
-- ARGV: id, worker, lease, the message's delivery and executions, and its envelope if it has one
local row, leases, prefix = unpack(KEYS)
local id, worker, delivery, executions = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])

-- All at once: what a script takes is the number of its calls.
local found = redis.call('HMGET', row, 'name', 'arguments', 'queue', 'priority', 'executions',
    'resumptions', 'issued', 'envelope', 'progress', 'fence', 'failures', 'reason',
    'state', 'delivery', 'started_at', 'revision', 'enqueued_at')
local state, before, started_at, revision, enqueued_at = unpack(found, 13)
if state ~= 'waiting' and state ~= 'interrupted' then
    return nil
end
if tonumber(before) > delivery or tonumber(found[5]) < executions then
    return nil
end

found[5] = string.format('%d', found[5] + 1)
found[7] = string.format('%d', math.max(tonumber(found[7]), delivery))
found[8] = ARGV[6] or found[8]
found[10] = string.format('%d', found[10] + 1)
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local lease_until = string.format('%.6f', now + tonumber(ARGV[3]))
local values = {'state', 'running', 'worker', worker, 'lease_until', lease_until, 'sequence', '0',
    'delivery', ARGV[4], 'executions', found[5], 'issued', found[7], 'fence', found[10],
    'revision', string.format('%d', revision + 1),
    'started_at', started_at or string.format('%.6f', now)}
if found[8] then
    table.insert(values, 'envelope')
    table.insert(values, found[8])
end
redis.call('HSET', row, unpack(values))
redis.call('HDEL', row, 'run_at', 'ended_by')
redis.call('ZREM', prefix .. 'state:' .. state, id)
redis.call('ZADD', prefix .. 'state:running', enqueued_at, id)
redis.call('SADD', prefix .. 'worker:' .. worker, id)
redis.call('ZADD', leases, lease_until, id)
-- One text is read faster than many.
return cjson.encode({unpack(found, 1, 12)})
