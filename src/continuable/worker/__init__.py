"""What runs jobs in a worker process, whatever the queue and the store."""
