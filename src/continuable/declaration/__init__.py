"""What `@app.job` makes of a function: to be called, enqueued, and followed by its handle."""
