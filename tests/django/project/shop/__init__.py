"""A shop whose jobs run on Celery."""
