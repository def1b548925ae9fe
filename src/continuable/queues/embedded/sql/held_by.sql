SELECT seq, id, name, queue, state, deaths, resumptions, executions, worker, progress
FROM continuable_jobs
WHERE state IN ('running', 'pausing', 'cancelling') AND state <> 'waiting'
AND worker IN (SELECT value FROM json_each(:workers))
ORDER BY seq
