"""What the workers of the other engines import: each has plain tasks, and the same as jobs."""
