SELECT id, worker FROM continuable_jobs
WHERE state IN ('running', 'pausing', 'cancelling') AND state <> 'waiting' AND worker IS NOT NULL
