-- What is wanted of the jobs that a worker holds: id, fence and state of each.
-- KEYS: the jobs of the worker, the prefix of rows
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local row = redis.call('HMGET', KEYS[2] .. id, 'fence', 'state')
    if row[1] then
        table.insert(found, {id, row[1], row[2]})
    end
end
return found
