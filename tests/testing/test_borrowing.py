"""A test queue that takes the place of an app's own for a while."""

import pytest

from continuable import App
from continuable.testing import TestQueue


def app_with_a_job(queue=None):
    app = App("sqlite:///never-opened.db", queue=queue)

    @app.job(name="work")
    def work(job):
        return "done"

    return app, work


def test_an_app_runs_on_it_until_it_is_restored():
    own = TestQueue()
    app, work = app_with_a_job(own)
    queue = TestQueue().use(app)
    handle = work.enqueue()
    assert app.queue is queue
    assert queue.drain() == 1
    assert handle.result() == "done"
    queue.restore()
    assert app.queue is own
    work.enqueue()
    assert (len(own.enqueued), len(queue.enqueued)) == (1, 0)


def test_the_block_of_a_with_statement_restores_at_its_end():
    own = TestQueue()
    app, _ = app_with_a_job(own)
    with TestQueue() as queue:
        assert queue.use(app) is app.queue
    assert app.queue is own


def test_an_exception_in_the_block_restores_as_well():
    own = TestQueue()
    app, _ = app_with_a_job(own)
    with pytest.raises(LookupError), TestQueue().use(app):
        raise LookupError
    assert app.queue is own


def test_the_embedded_queue_of_an_app_is_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app, work = app_with_a_job()
    with TestQueue() as queue:
        work_was = queue.use(app).drain()
        work.enqueue()
        assert (work_was, queue.drain()) == (0, 1)
    assert list(tmp_path.iterdir()) == []


def test_several_apps_are_taken_and_given_back():
    own = [TestQueue(), TestQueue()]
    apps = [App(queue=queue) for queue in own]
    with TestQueue() as queue:
        for app in apps:
            queue.use(app)
        assert {app.queue for app in apps} == {queue}
    assert [app.queue for app in apps] == own


def test_an_app_taken_twice_has_its_own_queue_back():
    own = TestQueue()
    app, _ = app_with_a_job(own)
    with TestQueue() as outer:
        outer.use(app)
        with TestQueue() as inner:
            inner.use(app)
            assert app.queue is inner
        assert app.queue is outer
        outer.use(app)
    assert app.queue is own
