-- Forget a job that has finished, or, without a time, one that was never claimed.
-- KEYS: row, history, all, leases, finished, failed, and the prefix of the others
-- ARGV: id, and how many seconds ago it must have finished
local state, finished_at, fence =
    unpack(redis.call('HMGET', KEYS[1], 'state', 'finished_at', 'fence'))
if ARGV[2] then
    local time = redis.call('TIME')
    local before = tonumber(time[1]) + tonumber(time[2]) / 1000000 - tonumber(ARGV[2])
    if not finished_at or tonumber(finished_at) > before then
        return 0
    end
elseif state ~= 'waiting' or fence ~= '0' then
    return 0
end
redis.call('ZREM', KEYS[7] .. 'state:' .. state, ARGV[1])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
return 1
