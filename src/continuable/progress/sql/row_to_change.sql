SELECT
    NOW, id, name, queue, priority, arguments, progress, state, worker, ended_by, lease_until, fence,
    sequence, delivery, issued, executions, resumptions, failures, deaths, enqueued_at, run_at, started_at,
    saved_at, finished_at, longest_gap, reason, error, traceback, result, envelope
FROM continuable_progress WHERE id = :id
FOR UPDATE
