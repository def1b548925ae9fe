-- Nothing for a job that was discarded meanwhile.
INSERT INTO continuable_history (job_seq, at, event, data)
SELECT seq, :at, :event, :data FROM continuable_jobs WHERE seq = :seq
