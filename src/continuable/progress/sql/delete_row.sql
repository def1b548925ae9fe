DELETE FROM continuable_progress
WHERE id = :id AND finished_at <= NOW - :seconds AND (state <> 'failed' OR :failed = 1)
