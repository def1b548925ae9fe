-- Claim a job that simply waits. It comes to what `lifecycle.claim` makes of such a row; no row
-- means that more is to be looked into, or that somebody has it locked.
UPDATE continuable_progress SET
    state = 'running',
    worker = :worker,
    ended_by = NULL,
    lease_until = NOW + :lease,
    run_at = NULL,
    delivery = :delivery,
    issued = CASE WHEN issued < :delivery THEN :delivery ELSE issued END,
    envelope = COALESCE(:envelope, envelope),
    fence = fence + 1,
    sequence = 0,
    executions = executions + 1,
    started_at = COALESCE(started_at, NOW)
WHERE id = (
    SELECT id FROM continuable_progress
    WHERE id = :id AND state IN ('waiting', 'interrupted')
    AND delivery <= :delivery AND executions >= :executions
    FOR UPDATE SKIP LOCKED
)
RETURNING
    name, arguments, queue, priority, executions, resumptions, issued, envelope, progress, fence,
    failures, reason
