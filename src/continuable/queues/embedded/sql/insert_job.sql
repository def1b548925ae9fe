-- The first claim of a row has a number that no claim of an earlier row has had, of any id.
INSERT INTO continuable_jobs (
    id, name, queue, priority, state, fence, executions, resumptions,
    enqueued_at, run_at, delayed_at, unique_key, arguments, progress
)
VALUES (
    :id, :name, :queue, :priority, :state,
    ifnull((SELECT (seq + 1) << 20 FROM sqlite_sequence WHERE name = 'continuable_jobs'), 0),
    :executions, :resumptions,
    :enqueued_at, :run_at, :delayed_at, :unique_key, :arguments, :progress
)
ON CONFLICT DO NOTHING
