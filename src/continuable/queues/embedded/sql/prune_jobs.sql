-- A part, so that no worker waits long for the write lock.
DELETE FROM continuable_jobs WHERE seq IN (
    SELECT seq FROM continuable_jobs
    WHERE state IN ('completed', 'cancelled', iif(:failed, 'failed', 'completed'))
    AND state <> 'waiting' AND finished_at <= :before
    LIMIT 500
)
