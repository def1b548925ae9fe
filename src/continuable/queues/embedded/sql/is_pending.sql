-- What is ready, under way, or will resume, if its code is here. In one statement, since a job
-- that goes from one to the other between two would be in neither.
SELECT EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE is_ready AND :queues IS NULL
    AND (:names IS NULL OR name IN (SELECT value FROM json_each(:names)))
) OR EXISTS (
    SELECT 1 FROM json_each(:queues) AS queues
    JOIN continuable_jobs AS jobs ON jobs.is_ready AND jobs.queue = queues.value
    WHERE :names IS NULL OR jobs.name IN (SELECT value FROM json_each(:names))
) OR EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE state IN ('running', 'pausing', 'cancelling') AND state <> 'waiting'
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
) OR EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE state = 'interrupted' AND run_at IS NOT NULL AND reason IS NOT 'unknown job'
    AND (:names IS NULL OR name IN (SELECT value FROM json_each(:names)))
    AND (:queues IS NULL OR queue IN (SELECT value FROM json_each(:queues)))
)
