-- As the index has it: a million waiting jobs are not looked at.
SELECT id FROM continuable_jobs
WHERE state IN ('completed', 'cancelled', iif(:failed, 'failed', 'completed'))
AND state <> 'waiting' AND finished_at <= :now - :seconds
LIMIT :part
