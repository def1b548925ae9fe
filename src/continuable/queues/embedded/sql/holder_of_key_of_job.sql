SELECT holder.id, holder.unique_key
FROM continuable_jobs AS job
JOIN continuable_jobs AS holder ON holder.unique_key = job.unique_key
WHERE job.id = :id AND holder.finished_at IS NULL AND holder.unique_key IS NOT NULL
