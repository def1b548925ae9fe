-- Most jobs: new, and ready at once. With half as many values it takes less time by a fifth.
INSERT INTO continuable_jobs (id, name, queue, priority, state, enqueued_at, arguments, progress)
VALUES (:id, :name, :queue, :priority, 'waiting', :enqueued_at, :arguments, '{}')
ON CONFLICT DO NOTHING
