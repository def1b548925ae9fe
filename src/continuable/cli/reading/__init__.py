"""The words that people type: an app, a job, its arguments, a duration."""
