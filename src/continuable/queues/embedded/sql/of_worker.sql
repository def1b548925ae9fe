SELECT id, fence, state FROM continuable_jobs
WHERE state IN ('running', 'pausing', 'cancelling') AND state <> 'waiting' AND worker = :worker
