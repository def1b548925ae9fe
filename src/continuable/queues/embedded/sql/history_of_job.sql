SELECT at, event, data FROM continuable_history WHERE job_seq = :seq ORDER BY entry
