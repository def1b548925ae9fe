-- As `save`, but for the lease, which the heartbeat renews: no index has to be touched.
UPDATE continuable_progress SET
    progress = CASE WHEN :sequence > sequence THEN :document ELSE progress END,
    deaths = CASE WHEN :made_progress = 1 THEN 0 ELSE deaths END,
    saved_at = NOW,
    sequence = CASE WHEN :sequence > sequence THEN :sequence ELSE sequence END
WHERE id = :id AND fence = :fence AND worker = :worker
