SELECT seq, state, worker, unique_key FROM continuable_jobs WHERE id = :id
