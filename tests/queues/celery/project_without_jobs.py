"""What a worker imports that was started before its project had this library."""

import os

import celery

REDIS = os.environ["CONTINUABLE_TEST_REDIS"]

celery_app = celery.Celery("project_without_jobs", broker=REDIS, backend=REDIS)
celery_app.conf.broker_connection_retry_on_startup = True
