-- A lower number leaves the row as it is, so no row at all means: taken away.
UPDATE continuable_jobs SET
    -- Only progress forgives deaths: a change of `job.state` alone is none.
    deaths = iif(
        deaths > 0 AND :sequence > sequence
        AND json_extract(:document, '$.completed', '$.current')
        <> json_extract(progress, '$.completed', '$.current'),
        0, deaths
    ),
    progress = iif(:sequence > sequence, :document, progress),
    saved_at = :now,
    sequence = max(sequence, :sequence)
WHERE id = :id AND fence = :fence AND worker = :worker
