-- What is to be known before a job runs, all at once: what is kept of the worker, what rides with
-- the job, its claim, whether it is this process' turn to look back, whether it is to post the
-- sentry, and how many jobs wait on the worker's queues, the sentry among them.
-- KEYS: the worker, the job, the key of looking back, that of the sentry; and what `claim` takes,
--       where progress is kept beside the job
-- ARGV: the fields of a stop and of what rides; this process; for how many milliseconds nobody
--       else looks back, how long the sentry is taken for posted: 0, where it is not needed; what
--       the keys of queues begin with; and the job's id, who claims it, and for how many seconds
local worker = redis.call('HMGET', KEYS[1], 'pid', 'queues', ARGV[1])
local message = redis.call('HGET', KEYS[2], ARGV[2])

-- Claim it, unless more is to be looked into.
local claimed, retries = nil, nil
if KEYS[5] and message and not worker[3] then
    local is_read, plain = pcall(cjson.decode, message)
    local time = redis.call('TIME')
    local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
    if is_read and not plain.has_failed and plain.due <= now then
        local record = plain.record
        claimed = claim({unpack(KEYS, 5)}, {ARGV[7], ARGV[8], ARGV[9],
            string.format('%d', record.delivery), string.format('%d', record.executions)})
        retries = plain.retries ~= cjson.null and plain.retries
    end
end

-- Work horses come and go with each job, so that some look back, now and then.
local is_turn = worker[1] == false or worker[1] == ARGV[3]
    or redis.call('SET', KEYS[3], '', 'NX', 'PX', ARGV[4])

local is_missing = ARGV[5] ~= '0' and redis.call('SET', KEYS[4], '', 'NX', 'PX', ARGV[5])

local waiting = is_missing and 1 or 0
for queue in string.gmatch(worker[2] or '', '[^,]+') do
    waiting = waiting + redis.call('LLEN', ARGV[6] .. queue)
end
-- With a claim, no more of what rides is wanted.
return {worker[1], worker[2], worker[3], not claimed and message, claimed or false,
    retries or false, is_turn and 1 or 0, is_missing and 1 or 0, waiting}
