SELECT id FROM continuable_progress WHERE worker = :worker
FOR UPDATE SKIP LOCKED
