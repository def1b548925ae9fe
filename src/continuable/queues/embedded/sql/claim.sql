-- Claim the job that was found, in the same transaction. It comes to what `lifecycle.claim` makes of
-- a job that simply waits.
UPDATE continuable_jobs SET
    state = 'running',
    worker = :worker,
    ended_by = NULL,
    lease_until = 9e999,
    delivery = issued,
    fence = fence + 1,
    sequence = 0,
    executions = executions + 1,
    started_at = ifnull(started_at, :now)
WHERE seq = :seq
