SELECT state, result, error, traceback, reason FROM continuable_jobs WHERE id = :id
