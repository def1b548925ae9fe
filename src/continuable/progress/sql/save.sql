-- What `lifecycle.save` makes of the row. A lower number leaves the progress as it is, so no row at all means: taken away.
-- MySQL sees the new values of the columns before: `sequence` comes last.
UPDATE continuable_progress SET
    progress = CASE WHEN :sequence > sequence THEN :document ELSE progress END,
    deaths = CASE WHEN :made_progress = 1 THEN 0 ELSE deaths END,
    saved_at = NOW,
    lease_until = NOW + :lease,
    sequence = CASE WHEN :sequence > sequence THEN :sequence ELSE sequence END
WHERE id = :id AND fence = :fence AND worker = :worker
