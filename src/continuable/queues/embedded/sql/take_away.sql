UPDATE continuable_jobs SET
    state = :state,
    reason = :reason,
    error = ifnull(:error, error),
    worker = NULL,
    fence = fence + 1,
    resumptions = resumptions + (:state NOT IN ('failed', 'cancelled')),
    deaths = :deaths,
    run_at = NULL,
    delayed_at = NULL,
    finished_at = iif(:state IN ('failed', 'cancelled'), :now, NULL)
WHERE seq = :seq
