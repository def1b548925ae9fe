"""A project whose next release has a job that the one before does not know."""

import os

from tests.queues.rq.project import app, note

if "CONTINUABLE_TEST_TRIES" in os.environ:  # a worker of the release before
    note(os.environ["CONTINUABLE_TEST_TRIES"], os.getpid())  # each work horse imports this anew
else:

    @app.job
    def run_in_the_next_release(job, path):
        """The new job."""
        note(path, "ran")
