"""Plain records of a job, as they travel and as people see them."""
