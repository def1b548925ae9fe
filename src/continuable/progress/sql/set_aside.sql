UPDATE continuable_progress SET lease_until = NULL WHERE id = :id
