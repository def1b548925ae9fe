SELECT at, event, data FROM continuable_progress_history WHERE job_id = :id ORDER BY entry
