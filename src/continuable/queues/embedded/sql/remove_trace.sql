DELETE FROM continuable_schema WHERE version = -1
