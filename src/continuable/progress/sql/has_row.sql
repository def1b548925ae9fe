SELECT 1 FROM continuable_progress WHERE id = :id
