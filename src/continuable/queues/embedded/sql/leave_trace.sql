INSERT INTO continuable_schema (version) VALUES (-1)
