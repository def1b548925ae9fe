UPDATE continuable_jobs SET
    state = :state,
    reason = ifnull(:reason, reason),
    worker = NULL,
    failures = :failures,
    deaths = iif(:made_progress, 0, deaths),
    progress = :progress,
    error = ifnull(:error, error),
    traceback = ifnull(:traceback, traceback),
    longest_gap = max(longest_gap, :longest_gap),
    saved_at = :now,
    finished_at = :now
WHERE seq = :seq AND fence = :fence AND worker = :worker
RETURNING state
