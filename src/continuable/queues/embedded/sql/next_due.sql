SELECT min(run_at) FROM (
    SELECT min(run_at) AS run_at FROM continuable_jobs
    WHERE state = 'interrupted' AND run_at IS NOT NULL
    UNION ALL
    SELECT min(run_at) FROM continuable_jobs WHERE state = 'waiting' AND run_at IS NOT NULL
)
