UPDATE continuable_jobs SET
    state = :state,
    reason = iif(:state IN ('paused', 'cancelled'), :state, reason),
    run_at = NULL,
    delayed_at = NULL,
    finished_at = iif(:state = 'cancelled', ifnull(finished_at, :now), NULL)
WHERE seq = :seq
