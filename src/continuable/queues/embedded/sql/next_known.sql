-- Where the first of a queue is unknown here: then all that is ready is gone through.
SELECT
    jobs.seq, jobs.id, jobs.name, jobs.queue, jobs.priority, jobs.fence, jobs.executions,
    jobs.resumptions, jobs.failures, jobs.reason, jobs.started_at, jobs.arguments, jobs.progress
FROM continuable_jobs AS jobs
WHERE is_ready
AND name IN (SELECT value FROM json_each(:names))
AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
ORDER BY priority DESC, seq LIMIT 1
