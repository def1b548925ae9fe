"""From the words that people type to what they mean: an app, a job, its arguments, a time."""
