-- A time that is asked for once, and not row by row, can be looked up in an index.
SELECT id FROM continuable_progress
WHERE lease_until <= (SELECT NOW) ORDER BY lease_until LIMIT :limit
FOR UPDATE SKIP LOCKED
