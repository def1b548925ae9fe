"""`check_resumable`: strike a job wherever it can be struck, and compare what becomes of it."""
