-- KEYS: the jobs of the worker, leases, the prefix of rows   ARGV: worker, lease
local time = redis.call('TIME')
local lease_until = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[2])
lease_until = string.format('%.6f', lease_until)
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local row = KEYS[3] .. id
    if redis.call('HGET', row, 'worker') == ARGV[1] then
        redis.call('HSET', row, 'lease_until', lease_until)
        redis.call('HINCRBY', row, 'revision', 1)
        redis.call('ZADD', KEYS[2], lease_until, id)
    end
end
