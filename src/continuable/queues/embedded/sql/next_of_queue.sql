SELECT
    jobs.seq, jobs.id, jobs.name, jobs.queue, jobs.priority, jobs.fence, jobs.executions,
    jobs.resumptions, jobs.failures, jobs.reason, jobs.started_at, jobs.arguments, jobs.progress
FROM continuable_jobs AS jobs
WHERE is_ready AND queue = :queue
ORDER BY priority DESC, seq LIMIT 1
