-- One look into the index per queue that has work, then the best of those.
WITH RECURSIVE queues (queue) AS (
    SELECT min(queue) FROM continuable_jobs WHERE is_ready
    UNION ALL
    SELECT (SELECT min(queue) FROM continuable_jobs WHERE is_ready AND queue > queues.queue)
    FROM queues WHERE queues.queue IS NOT NULL
)
SELECT
    jobs.seq, jobs.id, jobs.name, jobs.arguments, jobs.queue, jobs.priority, jobs.executions,
    jobs.resumptions, jobs.issued, jobs.envelope, jobs.progress, jobs.fence, jobs.failures,
    jobs.reason
FROM queues
JOIN continuable_jobs AS jobs ON jobs.seq = (
    SELECT seq FROM continuable_jobs
    WHERE is_ready AND queue = queues.queue
    ORDER BY priority DESC, seq LIMIT 1
)
ORDER BY jobs.priority DESC, jobs.seq LIMIT 1
