UPDATE continuable_progress SET ROW_ASSIGNMENTS WHERE id = :id
