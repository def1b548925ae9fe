SELECT
    id, name, queue, priority, state, arguments, progress, executions, resumptions, deaths,
    reason, error, traceback, longest_gap, worker,
    enqueued_at, run_at, started_at, finished_at, saved_at
FROM continuable_jobs
WHERE state = :state AND state <> 'waiting'
AND (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY finished_at DESC, seq DESC LIMIT :limit
