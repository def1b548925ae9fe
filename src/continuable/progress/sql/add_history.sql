INSERT INTO continuable_progress_history (job_id, at, event, data)
SELECT id, :at, :event, :data FROM continuable_progress WHERE id = :id
