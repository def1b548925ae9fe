UPDATE continuable_jobs SET run_at = NULL, delayed_at = NULL
WHERE seq IN (
    SELECT seq FROM continuable_jobs
    WHERE state IN ('interrupted', 'waiting') AND run_at <= :now
    ORDER BY run_at LIMIT 1000
)
