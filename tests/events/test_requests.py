"""What is asked of a job that waits is told at once, on every queue."""

import pytest

from continuable import App
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.embedded import EmbeddedQueue
from continuable.testing import TestQueue
from tests.queues.test_unsendable import Elsewhere


@pytest.fixture(params=["embedded", "testing", "engine"])
def app(request, tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    match request.param:
        case "embedded":
            app = App(queue=EmbeddedQueue(tmp_path / "jobs.db"))
        case "testing":
            app = App(queue=TestQueue())
        case "engine":
            app = App(queue=Elsewhere(lambda record: True), progress=store)
    yield app
    if request.param != "testing":
        app.queue.close()
    store.close()


def test_pause_cancel_and_restart_are_told(app):
    told = []

    @app.job(name="work")
    def work(job): ...

    handle = work.enqueue()
    app.subscribe(lambda event: told.append((event.name, event.job_id)))
    for verb in ("pause", "pause", "resume", "restart", "cancel"):
        getattr(handle, verb)()
    names = [name for name, _ in told]
    assert names == ["job.paused", "job.restarted", "job.cancelled"]
    assert {job_id for _, job_id in told} == {handle.id}
