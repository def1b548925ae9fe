SELECT sequence FROM continuable_jobs WHERE id = :id AND fence = :fence AND worker = :worker
