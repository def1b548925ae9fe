SELECT EXISTS (
    SELECT 1 FROM continuable_jobs
    WHERE state IN ('interrupted', 'waiting') AND run_at <= :now
) OR EXISTS (
    SELECT 1 FROM continuable_jobs WHERE delayed_at > :now + 1
)
