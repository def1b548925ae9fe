SELECT
    jobs.seq, jobs.id, jobs.name, jobs.queue, jobs.priority, jobs.fence, jobs.executions,
    jobs.resumptions, jobs.failures, jobs.reason, jobs.started_at, jobs.arguments, jobs.progress
FROM json_each(:queues) AS queues
JOIN continuable_jobs AS jobs ON jobs.seq = (
    SELECT seq FROM continuable_jobs
    WHERE is_ready AND queue = queues.value
    ORDER BY priority DESC, seq LIMIT 1
)
ORDER BY jobs.priority DESC, jobs.seq LIMIT 1
