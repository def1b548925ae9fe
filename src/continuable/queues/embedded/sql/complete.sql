UPDATE continuable_jobs SET
    state = 'completed',
    worker = NULL,
    result = :result,
    progress = ifnull(:progress, progress),
    longest_gap = max(longest_gap, :longest_gap),
    finished_at = :now
WHERE seq = :seq AND fence = :fence AND worker = :worker
