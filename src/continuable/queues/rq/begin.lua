-- What is to be known before a job runs, all at once: what is kept of the worker, what rides with
-- the job, whether it is this process' turn to look back, whether it is to post the sentry, and how
-- many jobs wait on the worker's queues, the sentry among them.
-- KEYS: the worker, the job, the key of looking back, that of the sentry
-- ARGV: the fields of a stop and of what rides; this process; for how many milliseconds nobody
--       else looks back, how long the sentry is taken for posted: 0, where it is not needed; and
--       what the keys of queues begin with
local worker = redis.call('HMGET', KEYS[1], 'pid', 'queues', ARGV[1])
local message = redis.call('HGET', KEYS[2], ARGV[2])

-- Work horses come and go with each job, so that some look back, now and then.
local is_turn = worker[1] == false or worker[1] == ARGV[3]
    or redis.call('SET', KEYS[3], '', 'NX', 'PX', ARGV[4])

local is_missing = ARGV[5] ~= '0' and redis.call('SET', KEYS[4], '', 'NX', 'PX', ARGV[5])

local waiting = is_missing and 1 or 0
for queue in string.gmatch(worker[2] or '', '[^,]+') do
    waiting = waiting + redis.call('LLEN', ARGV[6] .. queue)
end
return {worker[1], worker[2], worker[3], message, is_turn and 1 or 0, is_missing and 1 or 0, waiting}
