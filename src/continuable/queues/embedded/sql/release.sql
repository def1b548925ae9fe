UPDATE continuable_jobs SET
    state = CASE state
        WHEN 'cancelling' THEN 'cancelled'
        WHEN 'pausing' THEN 'paused'
        ELSE iif(executions = 1, 'waiting', 'interrupted')
    END,
    worker = NULL,
    executions = executions - 1,
    started_at = iif(executions = 1, NULL, started_at),
    finished_at = iif(state = 'cancelling', :now, NULL)
WHERE seq = :seq AND fence = :fence AND worker = :worker
