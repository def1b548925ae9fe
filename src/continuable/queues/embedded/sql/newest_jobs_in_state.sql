SELECT ROW_COLUMNS
FROM continuable_jobs
WHERE state = :state AND state <> 'waiting'
AND (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY finished_at DESC, seq DESC LIMIT :limit
