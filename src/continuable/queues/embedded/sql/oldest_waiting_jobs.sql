SELECT
    id, name, queue, priority, state, arguments, progress, executions, resumptions, deaths,
    reason, error, traceback, longest_gap, worker,
    enqueued_at, run_at, started_at, finished_at, saved_at
FROM continuable_jobs
WHERE state = 'waiting' AND seq IN (
    SELECT seq FROM continuable_jobs WHERE is_ready
    UNION ALL
    SELECT seq FROM continuable_jobs WHERE run_at IS NOT NULL
)
AND (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY seq ASC LIMIT :limit
