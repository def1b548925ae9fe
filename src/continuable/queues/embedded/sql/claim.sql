UPDATE continuable_jobs SET
    state = 'running',
    worker = :worker,
    fence = :fence,
    sequence = 0,
    executions = :executions,
    run_at = NULL,
    delayed_at = NULL,
    started_at = :started_at
WHERE seq = :seq
