-- What was asked for in the meantime wins: a pause holds the job, a cancel ends it.
UPDATE continuable_jobs SET
    state = CASE state
        WHEN 'cancelling' THEN 'cancelled'
        WHEN 'pausing' THEN 'paused'
        ELSE :state
    END,
    reason = CASE state
        WHEN 'cancelling' THEN 'cancelled'
        WHEN 'pausing' THEN 'paused'
        ELSE :reason
    END,
    run_at = iif(state = 'running', :run_at, NULL),
    delayed_at = iif(state = 'running', :delayed_at, NULL),
    finished_at = iif(state = 'cancelling', :now, NULL),
    worker = NULL,
    queue = ifnull(:queue, queue),
    priority = ifnull(:priority, priority),
    resumptions = resumptions + :resumptions,
    failures = :failures,
    deaths = iif(:made_progress, 0, deaths),
    progress = :progress,
    error = ifnull(:error, error),
    traceback = ifnull(:traceback, traceback),
    longest_gap = max(longest_gap, :longest_gap),
    saved_at = :now
WHERE seq = :seq AND fence = :fence AND worker = :worker
RETURNING state
