-- As in `expired`.
SELECT id FROM continuable_progress
WHERE finished_at <= (SELECT NOW) - :seconds AND (state <> 'failed' OR :failed = 1)
LIMIT :part
