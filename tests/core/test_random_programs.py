"""Random programs, disturbed at random: in the end they have done what they were to do, once.

The model is short. A step has a number of items, and an effect for each, right before the
checkpoint that counts it. However often the job is interrupted, fails or is deployed over, the
effects are those of an undisturbed run.
"""

import asyncio
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from continuable import App, Interrupt
from continuable.core.outcome import Completed, Suspended
from continuable.model.payload import JobRecord
from continuable.testing import TestQueue
from tests.core.executing import asking, execute, new_record, progress_of, resumed

# --- ways to come through the items of a step


def plainly(step, items, effect, move):
    effect(0)


def by_advance(step, items, effect, move):
    while step.cursor < items:
        effect(step.cursor)
        move(step.advance)
    assert step.done == items


def by_advance_past(step, items, effect, move):
    for item in range(step.cursor, items):
        effect(item)
        move(step.advance, past=item)
    assert step.done == items


def by_key(step, items, effect, move):
    for item, key in enumerate("abcd"[:items]):
        if key > (step.cursor or ""):
            effect(item)
            move(step.set, key)


def by_list(step, items, effect, move):
    for item in range(step.cursor[0], items):
        effect(item)
        move(step.set, [item + 1])


def in_place(step, items, effect, move):
    for item in range(len(step.cursor), items):
        effect(item)
        step.cursor.append(item)
        move(step.checkpoint)


def by_source(step, items, effect, move):
    for item in step.iterate(range(items)):
        effect(item)
    assert (step.done, step.total) == (items, items)


WAYS = {
    plainly: lambda: None,
    by_advance: lambda: 0,
    by_advance_past: lambda: 0,
    by_key: lambda: None,
    by_list: lambda: [0],
    in_place: list,
    by_source: lambda: None,
}


# --- the model


@dataclass
class Planned:
    """A step of the program."""

    number: int
    name: str
    way: object
    items: int
    isolated: bool
    keep: bool
    swallows: bool
    formerly: str | None = None

    @property
    def effects(self):
        return [(self.number, item) for item in range(self.items)]

    @property
    def value(self):
        return f"value of {self.number}" if self.keep else None


@dataclass
class Disturbance:
    """What happens to one execution: at its n-th checkpoint, or n-th effect."""

    kind: str = "none"
    at: int = 0

    def is_now(self, kind):
        if self.kind == kind:
            self.at -= 1
        return self.kind == kind and self.at == 0

    def reason_at_checkpoint(self):
        if self.is_now("error at a checkpoint"):
            raise BadTimeError
        return self.is_now("stop") or (self.is_now("pause") and "paused")


KINDS = ["stop", "pause", "error", "error at a checkpoint", "interrupt itself"]


class BadTimeError(Exception):
    """What goes wrong in a job, or at a checkpoint of it."""


class Programs(RuleBasedStateMachine):
    plan = ()

    @initialize(is_async=st.booleans())
    def begin(self, is_async):
        self.is_async = is_async
        self.numbers = 0
        self.plan = []
        self.removed = {}
        self.effects = []
        self.runs = []
        self.completed = set()
        self.record = None
        self.result = None

    # --- deploys

    @precondition(lambda self: self.result is None)
    @rule(
        way=st.sampled_from(list(WAYS)),
        items=st.integers(0, 4),
        isolated=st.booleans(),
        keep=st.booleans(),
        swallows=st.booleans(),
    )
    def add_a_step(self, way, items, isolated, keep, swallows):
        self.numbers += 1
        items = 1 if way is plainly else items
        name = f"step {self.numbers}"
        self.plan.append(Planned(self.numbers, name, way, items, isolated, keep, swallows))

    @precondition(lambda self: self.result is None and self.plan)
    @rule(data=st.data())
    def rename_a_step(self, data):
        # Most of all those that were begun: that is where a rename is hard.
        begun = [step for step in self.plan if step.name in self.names_in_progress()]
        step = data.draw(st.sampled_from(begun[::-1] or self.plan))
        if step.formerly not in self.names_in_progress():
            step.formerly, step.name = step.name, f"{step.name}'"

    @precondition(lambda self: self.result is None and self.plan)
    @rule(data=st.data())
    def remove_a_step(self, data):
        step = data.draw(st.sampled_from(self.plan))
        self.plan.remove(step)
        self.removed |= {step.name: step, step.formerly or step.name: step}

    # --- executions

    @precondition(lambda self: self.result is None and self.plan)
    @rule(kind=st.sampled_from(KINDS), at=st.integers(1, 8))
    def execute(self, kind, at):
        self.run(Disturbance(kind, at))

    @precondition(lambda self: self.result is not None)
    @rule(is_async=st.booleans())
    def check_and_begin_anew(self, is_async):
        self.check_end()
        self.begin(is_async)

    def teardown(self):
        if self.plan:
            self.check_end()

    def check_end(self):
        for _ in range(len(self.plan) * 2 + 1):
            if self.result is None:
                self.run(Disturbance())
        assert self.result == [step.value for step in self.plan]
        for step in self.plan:
            assert self.effects_of(step) == step.effects

    def run(self, disturbance):
        app = App(queue=TestQueue())
        function = self.async_program if self.is_async else self.program
        job = app.job(name="program", removed_steps=self.removed)(function(disturbance))
        record = JobRecord.from_json((self.record or new_record(job)).to_json())
        outcome = execute(job, record, attention=asking(disturbance.reason_at_checkpoint))
        if isinstance(outcome, Completed):
            self.result = outcome.value
            return
        if isinstance(outcome, Suspended):
            assert outcome.error is None or "BadTimeError" in outcome.error.summary, outcome.error
            self.record = resumed(record, outcome)
        else:
            assert isinstance(outcome.error, BadTimeError), outcome.report.traceback
            executions = record.executions + 1
            self.record = replace(record, executions=executions, progress=progress_of(outcome))
        names = self.record.progress.get("completed", ())
        self.completed |= {step.number for step in self.plan if step.name in names}

    def program(self, disturbance):
        def program(job):
            values = [
                job.step(self.body(job, step, disturbance), **options(step)) for step in self.plan
            ]
            assert job.state.get("effects", 0) == len(self.effects)
            return values

        return program

    def async_program(self, disturbance):
        def body(job, planned):
            plain = self.body(job, planned, disturbance)

            async def body(step):
                await asyncio.sleep(0)
                return plain(step)

            return body

        async def program(job):
            values = [await job.step(body(job, step), **options(step)) for step in self.plan]
            assert job.state.get("effects", 0) == len(self.effects)
            return values

        return program

    def body(self, job, planned, disturbance):
        def effect(item):
            if disturbance.is_now("error"):
                raise BadTimeError
            self.effects.append((planned.number, item))
            job.state["effects"] = job.state.get("effects", 0) + 1

        def move(how, *args, **kwargs):
            try:
                how(*args, **kwargs)
            except Interrupt:
                if not planned.swallows:
                    raise
            if disturbance.is_now("interrupt itself"):
                job.interrupt("of its own")

        def body(step):
            assert planned.number not in self.completed, "a completed step runs again"
            self.runs.append((job.executions, planned))
            planned.way(step, planned.items, effect, move)
            return f"value of {planned.number}"

        return body

    # --- what holds at any time

    @invariant()
    def the_effects_of_a_step_are_its_first_ones_once_each(self):
        for step in self.plan:
            effects = self.effects_of(step)
            assert effects == step.effects[: len(effects)]

    @invariant()
    def an_isolated_step_shares_its_execution_with_no_other(self):
        for execution, step in self.runs if self.plan else ():
            if step.isolated:
                assert {other.number for number, other in self.runs if number == execution} == {
                    step.number
                }

    @invariant()
    def progress_names_the_first_steps_in_their_order(self):
        names = [name for name in self.names_in_progress() if name not in self.removed]
        known = [step.formerly if step.formerly in names else step.name for step in self.plan]
        assert names == known[: len(names)]

    def effects_of(self, step):
        return [effect for effect in self.effects if effect[0] == step.number]

    def names_in_progress(self):
        progress = self.record.progress if self.plan and self.record else {}
        current = progress.get("current")
        return [*progress.get("completed", ()), *([current[0]] if current else ())]


def options(planned):
    return {
        "name": planned.name,
        "start": WAYS[planned.way](),
        "isolated": planned.isolated,
        "keep": planned.keep,
        "formerly": planned.formerly,
    }


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
