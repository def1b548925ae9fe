DELETE FROM continuable_progress_history WHERE job_id = :id
