INSERT INTO continuable_history (job_seq, at, event, data) VALUES (:seq, :at, :event, :data)
