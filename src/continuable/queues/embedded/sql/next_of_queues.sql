SELECT
    jobs.seq, jobs.id, jobs.name, jobs.arguments, jobs.queue, jobs.priority, jobs.executions,
    jobs.resumptions, jobs.issued, jobs.envelope, jobs.progress, jobs.fence, jobs.failures,
    jobs.reason
FROM json_each(:queues) AS queues
JOIN continuable_jobs AS jobs ON jobs.seq = (
    SELECT seq FROM continuable_jobs
    WHERE is_ready AND queue = queues.value
    ORDER BY priority DESC, seq LIMIT 1
)
ORDER BY jobs.priority DESC, jobs.seq LIMIT 1
