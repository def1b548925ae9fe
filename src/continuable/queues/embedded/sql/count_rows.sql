-- Every part is counted within an index. What is ready or delayed is waiting or interrupted.
SELECT state, count(*) FROM continuable_jobs WHERE state <> 'waiting' GROUP BY state
UNION ALL
SELECT
    'waiting',
    (SELECT count(*) FROM continuable_jobs WHERE is_ready)
    + (SELECT count(*) FROM continuable_jobs WHERE run_at IS NOT NULL)
    - (SELECT count(*) FROM continuable_jobs WHERE state <> 'waiting' AND state = 'interrupted')
