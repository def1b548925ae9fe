-- What is ready, under way, or will resume, except for want of code. In one statement, since a job
-- that goes from one to the other between two would be in neither.
SELECT EXISTS (
    SELECT 1 FROM continuable_jobs WHERE is_ready AND :queues IS NULL
) OR EXISTS (
    SELECT 1 FROM json_each(:queues) AS queues
    JOIN continuable_jobs AS jobs ON jobs.is_ready AND jobs.queue = queues.value
) OR EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE state IN ('running', 'pausing', 'cancelling') AND state <> 'waiting'
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
) OR EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE state = 'interrupted' AND run_at IS NOT NULL AND reason IS NOT 'unknown job'
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
)
