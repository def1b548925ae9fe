SELECT entry FROM continuable_progress_history
WHERE job_id = :id ORDER BY entry DESC LIMIT 1 OFFSET :keep
