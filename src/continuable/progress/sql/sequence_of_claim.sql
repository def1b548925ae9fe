SELECT sequence FROM continuable_progress WHERE id = :id AND fence = :fence AND worker = :worker
