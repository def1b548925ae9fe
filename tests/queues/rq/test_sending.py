"""Many jobs are put on RQ's queue in one round trip: all of them, or none."""

import pytest
from redis.connection import AbstractConnection

from continuable.errors import QueueError
from continuable.model.payload import Enqueueing, JobRecord
from continuable.model.states import State


@pytest.fixture
def round_trips(monkeypatch):
    """How often something is sent to Redis."""
    sent = []
    send = AbstractConnection.send_packed_command

    def counted(self, command, *args, **kwargs):
        sent.append(command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return sent


def test_a_hundred_jobs_take_as_many_round_trips_as_one(project, work, round_trips, tmp_path):
    def times(count):
        before = len(round_trips)
        handles = project.come_back.enqueue_many([(str(tmp_path / "rows"), 0)] * count)
        return handles, len(round_trips) - before

    times(1)  # scripts are loaded, and connections open
    _, of_one = times(1)
    handles, of_many = times(100)
    assert of_many == of_one
    work()
    assert {handle.state() for handle in handles} == {State.COMPLETED}


def test_of_jobs_of_which_one_cannot_be_sent_none_is_on_the_queue(project, monkeypatch):
    send = project.app.queue._create

    def create(message, pipeline):
        if message.record.id == "b":
            raise QueueError("it is not known here")
        send(message, pipeline)

    monkeypatch.setattr(project.app.queue, "_create", create)
    name, arguments = project.come_back.name, '[["x",0],{}]'
    records = [JobRecord(id=job_id, name=name, arguments=arguments) for job_id in "abc"]
    with pytest.raises(QueueError, match="not known here"):
        project.app.queue.enqueue([Enqueueing(record=record) for record in records])
    assert project.app.queue.queue("default").count == 0
    assert project.app.queue.board.list() == []
