-- KEYS: leases, finished, or failed   ARGV: seconds ago, how many at most
local time = redis.call('TIME')
local before = tonumber(time[1]) + tonumber(time[2]) / 1000000 - tonumber(ARGV[1])
before = string.format('%.6f', before)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, ARGV[2])
