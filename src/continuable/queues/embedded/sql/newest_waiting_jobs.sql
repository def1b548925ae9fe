SELECT ROW_COLUMNS
FROM continuable_jobs
WHERE state = 'waiting' AND seq IN (
    SELECT seq FROM continuable_jobs WHERE is_ready
    UNION ALL
    SELECT seq FROM continuable_jobs WHERE run_at IS NOT NULL
)
AND (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY seq DESC LIMIT :limit
