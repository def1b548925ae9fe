DELETE FROM continuable_progress WHERE id = :id AND state = 'waiting' AND fence = 0
