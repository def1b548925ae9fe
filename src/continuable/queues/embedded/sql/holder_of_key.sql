SELECT id FROM continuable_jobs WHERE unique_key = :unique_key AND finished_at IS NULL
