SELECT NOW, ROW_COLUMNS FROM continuable_progress WHERE id = :id
FOR UPDATE
