"""What runs jobs in a worker process, for every queue and store."""
