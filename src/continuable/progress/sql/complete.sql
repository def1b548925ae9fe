-- Write that a job has returned, if the claim still holds. It comes to what `lifecycle.settle`
-- makes of that; no row means that it does not hold, or that somebody has the row locked.
UPDATE continuable_progress SET
    state = 'completed',
    worker = NULL,
    ended_by = :worker,
    lease_until = NULL,
    deaths = 0,
    progress = COALESCE(:progress, progress),
    longest_gap = CASE WHEN longest_gap < :longest_gap THEN :longest_gap ELSE longest_gap END,
    result = :result,
    saved_at = NOW,
    finished_at = NOW
WHERE id = (
    SELECT id FROM continuable_progress
    WHERE id = :id AND fence = :fence AND worker = :worker
    FOR UPDATE SKIP LOCKED
)
