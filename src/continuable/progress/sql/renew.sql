UPDATE continuable_progress SET lease_until = NOW + :lease WHERE id = :id AND worker = :worker
