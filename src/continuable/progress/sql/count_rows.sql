SELECT state, count(*) FROM continuable_progress GROUP BY state
