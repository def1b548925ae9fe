"""What the job table does in one statement comes to the same as `progress.lifecycle`."""

import sqlite3
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuable.core.outcome import Completed, Suspended
from continuable.progress import Save, lifecycle
from continuable.worker.runner import RunResult

OWN = {"seq", "id", "fence"}
DOCUMENTS = st.sampled_from(
    [
        '{"completed":[],"current":["a",1]}',
        '{"completed":["a"]}',
        '{"completed":[],"state":{"n":1}}',
    ]
)
ENDS = st.builds(Completed, result=st.sampled_from(["null", '"ü"']), progress=st.none() | DOCUMENTS)


def row_of(raw, job_id):
    """All that the table knows of a job, but for what tells it from another."""
    raw.row_factory = sqlite3.Row
    found = dict(raw.execute("SELECT * FROM continuable_jobs WHERE id = ?", [job_id]).fetchone())
    return {"claims": found["fence"] % (1 << 20)} | {
        name: value for name, value in found.items() if name not in OWN
    }


def suspended(progress):
    return Suspended(
        reason="stopping",
        description="somewhere",
        progress=progress,
        wait=0.0,
        queue=None,
        priority=None,
        is_counted=True,
    )


def by_the_lifecycle(table, claim, end, gap):
    transition = partial(
        lifecycle.settle,
        claim=claim,
        outcome=end,
        retry_in=None,
        longest_gap=gap,
        notes=(),
        lease=table.lease,
    )
    return table._change(claim.id, transition)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    resumes=st.lists(DOCUMENTS, max_size=2),
    saves=st.lists(DOCUMENTS, max_size=2),
    made_progress=st.booleans(),
    dies=st.booleans(),
    end=ENDS,
    gap=st.sampled_from([0.0, 2.5]),
)
def test_both_ways_come_to_the_same(
    table, raw, enqueue, resumes, saves, made_progress, dies, end, gap
):
    at_once, long = enqueue(name="app.job"), enqueue(name="app.job")
    for job_id in (at_once, long):
        for progress in resumes:
            table.end(RunResult(table.claim_job("me", job_id), suspended(progress)))
        if dies:
            table.claim_job("dead", job_id)
            table.reclaim(["dead"])
    one = table.claim_next("me")
    other = table.claim_job("me", long)
    assert (one.id, other.id) == (at_once, long)
    assert row_of(raw, at_once) == row_of(raw, long)
    other.id, other.fence = one.id, one.fence
    assert other == one
    other.id, other.fence = long, table.controls("me")[1][1]
    for number, document in enumerate(saves, 1):
        table.save([Save(at_once, one.fence, "me", number, document, made_progress)])
        save = Save(long, other.fence, "me", number, document, made_progress)
        table._change(long, partial(lifecycle.save, save=save, lease=table.lease))
    assert row_of(raw, at_once) == row_of(raw, long)
    settled = table.end(RunResult(one, end, longest_gap=gap))
    assert by_the_lifecycle(table, other, end, gap) == settled
    assert row_of(raw, at_once) == row_of(raw, long)
    assert table.end(RunResult(one, end)) == settled
    assert by_the_lifecycle(table, other, end, 0.0) == settled
