SELECT state FROM continuable_jobs WHERE id = :id
