SELECT id, worker FROM continuable_progress WHERE worker IS NOT NULL
