-- Most jobs: new, and ready at once. With half as many values it takes less time by a fifth.
INSERT INTO continuable_jobs (
    id, name, queue, priority, state, fence, enqueued_at, arguments, progress
)
VALUES (
    :id, :name, :queue, :priority, 'waiting',
    ifnull((SELECT (seq + 1) << 20 FROM sqlite_sequence WHERE name = 'continuable_jobs'), 0),
    :enqueued_at, :arguments, '{}'
)
ON CONFLICT DO NOTHING
