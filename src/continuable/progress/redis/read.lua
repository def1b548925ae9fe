-- The time, and the fields of a row as name, value, name, value.
local time = redis.call('TIME')
return {time[1], time[2], redis.call('HGETALL', KEYS[1])}
