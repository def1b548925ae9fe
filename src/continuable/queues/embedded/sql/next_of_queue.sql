SELECT jobs.id, jobs.name, jobs.issued, jobs.executions
FROM continuable_jobs AS jobs
WHERE is_ready AND queue = :queue
ORDER BY priority DESC, seq LIMIT 1
