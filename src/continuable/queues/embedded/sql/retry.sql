UPDATE continuable_jobs SET
    state = :state,
    resumptions = 0,
    failures = 0,
    deaths = 0,
    run_at = NULL,
    delayed_at = NULL,
    finished_at = NULL
WHERE seq = :seq
