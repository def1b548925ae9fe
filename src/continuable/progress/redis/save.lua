-- KEYS: row, leases   ARGV: id, fence, worker, sequence, document, made progress, lease
-- A lower number leaves the progress as it is; 0 means: taken away.
local found = redis.call('HMGET', KEYS[1], 'fence', 'worker', 'sequence')
if found[1] ~= ARGV[2] or found[2] ~= ARGV[3] then
    return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
if tonumber(ARGV[4]) > tonumber(found[3]) then
    redis.call('HSET', KEYS[1], 'progress', ARGV[5], 'sequence', ARGV[4])
end
if ARGV[6] == '1' then
    redis.call('HSET', KEYS[1], 'deaths', '0')
end
local lease_until = string.format('%.6f', now + tonumber(ARGV[7]))
redis.call('HSET', KEYS[1], 'saved_at', string.format('%.6f', now), 'lease_until', lease_until)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('ZADD', KEYS[2], lease_until, ARGV[1])
return 1
