INSERT INTO continuable_jobs (
    id, name, queue, priority, state, executions, resumptions,
    enqueued_at, run_at, delayed_at, unique_key, arguments, progress
)
VALUES (
    :id, :name, :queue, :priority, :state, :executions, :resumptions,
    :enqueued_at, :run_at, :delayed_at, :unique_key, :arguments, :progress
)
ON CONFLICT DO NOTHING
