"""A job that only a worker imports, when it starts."""

from shop.background import app


@app.job
def late(job):
    """Say that it was there."""
    return "late"
