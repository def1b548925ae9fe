DELETE FROM continuable_jobs WHERE id = :id
