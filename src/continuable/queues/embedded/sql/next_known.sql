-- Where the first of a queue is unknown here: then all that is ready is gone through.
SELECT
    jobs.seq, jobs.id, jobs.name, jobs.arguments, jobs.queue, jobs.priority, jobs.executions,
    jobs.resumptions, jobs.issued, jobs.envelope, jobs.progress, jobs.fence, jobs.failures,
    jobs.reason
FROM continuable_jobs AS jobs
WHERE is_ready
AND name IN (SELECT value FROM json_each(:names))
AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
ORDER BY priority DESC, seq LIMIT 1
