SELECT name FROM continuable_jobs
WHERE state IN ('running', 'interrupted', 'pausing', 'paused', 'cancelling') AND state <> 'waiting'
UNION
SELECT name FROM continuable_jobs WHERE is_ready
UNION
SELECT name FROM continuable_jobs WHERE run_at IS NOT NULL
ORDER BY name
