SELECT
    jobs.seq, jobs.id, jobs.name, jobs.arguments, jobs.queue, jobs.priority, jobs.executions,
    jobs.resumptions, jobs.issued, jobs.envelope, jobs.progress, jobs.fence, jobs.failures,
    jobs.reason
FROM continuable_jobs AS jobs
WHERE is_ready AND queue = :queue
ORDER BY priority DESC, seq LIMIT 1
