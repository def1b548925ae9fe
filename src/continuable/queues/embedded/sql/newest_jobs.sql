SELECT
    id, name, queue, priority, state, arguments, progress, executions, resumptions, deaths,
    reason, error, traceback, longest_gap, worker,
    enqueued_at, run_at, started_at, finished_at, saved_at
FROM continuable_jobs
WHERE (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY seq DESC LIMIT :limit
