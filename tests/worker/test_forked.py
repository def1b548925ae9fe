"""A job forks: what its child raises or returns is no end of the job."""

import os
import signal
import sys

import pytest

from continuable import App
from continuable.core.outcome import Completed
from continuable.model.payload import JobRecord
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.consumer import Consumer, Finished

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # it has threads
]


def returns(): ...


def raises():
    raise LookupError("in the child")


def exits():
    sys.exit(7)


def exits_with_a_text():
    sys.exit("in the child")


def is_interrupted():
    raise KeyboardInterrupt


@pytest.fixture
def app():
    return App()


@pytest.fixture
def consumer(app, tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    consumer = Consumer(app.jobs, store, lambda record, wait: None)
    yield consumer
    consumer._runner.close()
    store.close()


CHILDREN = [(returns, 0), (raises, 1), (exits, 7), (exits_with_a_text, 1), (is_interrupted, 1)]


@pytest.mark.parametrize(("child", "code"), CHILDREN)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("advanced", [False, True])
def test_a_child_ends_where_it_leaves_the_job(app, consumer, child, code, is_async, advanced):
    test_process, ended = os.getpid(), []

    def body(job):
        if advanced:
            job.step(lambda: None, name="a")
        forked = os.fork()
        if forked == 0:
            signal.alarm(60)
            child()
            return "child"
        ended.append(os.waitpid(forked, 0)[1])
        return "parent"

    async def abody(job):
        return body(job)

    job = app.job(name="work")(abody if is_async else body)
    delivered = consumer.run(JobRecord(id="1", name=job.name))
    if os.getpid() != test_process:
        os._exit(99)  # a second worker

    assert isinstance(delivered, Finished)
    assert isinstance(delivered.outcome, Completed)
    assert delivered.outcome.value == "parent"
    assert [os.waitstatus_to_exitcode(status) for status in ended] == [code]
