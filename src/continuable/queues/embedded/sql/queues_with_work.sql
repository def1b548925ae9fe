SELECT
    (SELECT min(queue) FROM continuable_jobs WHERE is_ready),
    (SELECT max(queue) FROM continuable_jobs WHERE is_ready)
