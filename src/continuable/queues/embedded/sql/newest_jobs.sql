SELECT ROW_COLUMNS
FROM continuable_jobs
WHERE (:queue IS NULL OR queue = :queue) AND (:name IS NULL OR name = :name)
ORDER BY seq DESC LIMIT :limit
