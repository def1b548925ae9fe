"""The pytest plugin, as a project of its own meets it."""

import re

import pytest

pytest_plugins = ["pytester"]

JOBS = """
from continuable import App

app = App("sqlite:///never-opened.db")
sent = []

@app.job(name="send")
def send(job, addresses):
    @job.step(start=0)
    def mail(step):
        for address in addresses[step.cursor:]:
            sent.append(address)
            step.advance()
"""


@pytest.fixture
def project(pytester):
    pytester.makepyfile(jobs=JOBS)

    def run(test):
        pytester.makepyfile(test)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

    return run


def test_the_fixture_continuable_queue_takes_an_app_for_one_test(project, pytester):
    result = project(
        """
        import jobs

        def test_one(continuable_queue):
            continuable_queue.use(jobs.app)
            jobs.send.enqueue(["a", "b"])
            assert continuable_queue.drain() == 1
            assert jobs.sent == ["a", "b"]

        def test_another(continuable_queue):
            assert continuable_queue.enqueued == []
            assert jobs.app.queue is not continuable_queue
            jobs.app.queue.close()
        """
    )
    result.assert_outcomes(passed=2)


def test_the_fixture_check_resumable_is_the_function(project):
    result = project(
        """
        import jobs
        from continuable import testing

        def test_it(check_resumable):
            assert check_resumable is testing.check_resumable
            found = check_resumable(
                jobs.send, ["a"], observe=lambda: {*jobs.sent}, reset=jobs.sent.clear
            )
            assert found.struck == found.points
        """
    )
    result.assert_outcomes(passed=1)


def test_it_may_be_asked_for_beside_given(project):
    result = project(
        """
        import jobs
        from hypothesis import HealthCheck, given, settings, strategies as st

        @settings(
            max_examples=5,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(addresses=st.lists(st.text(max_size=3), max_size=3))
        def test_it(check_resumable, addresses):
            check_resumable(
                jobs.send, addresses, observe=lambda: {*jobs.sent}, reset=jobs.sent.clear
            )
        """
    )
    result.assert_outcomes(passed=1)


def frames(result):
    """The places that a failure's traceback names."""
    places = (re.match(r"(\S+\.py):\d+: ", line) for line in result.outlines)
    return [place[1] for place in places if place]


def test_a_failing_check_shows_its_report_and_no_frame_of_ours(project):
    result = project(
        """
        import jobs

        def test_it(check_resumable):
            check_resumable(
                jobs.send, ["a", "b"], observe=lambda: [*jobs.sent], reset=jobs.sent.clear
            )
        """
    )
    result.assert_outcomes(failed=1)
    assert frames(result) == ["test_a_failing_check_shows_its_report_and_no_frame_of_ours.py"]
    result.stdout.fnmatch_lines(
        [
            ">       check_resumable(",
            "E       *NotResumableError: send does not resume everywhere: * led to another result.",
            "E         Usual cause: an effect that is not idempotent. *",
            "E         - kill at 'mail', cursor 2, right before that was saved",
            "E             too much: 'b'",
        ]
    )


def test_a_job_that_raises_undisturbed_shows_the_jobs_frames_and_none_of_ours(project):
    result = project(
        """
        import jobs

        def test_a_check(check_resumable):
            check_resumable(jobs.send, None)

        def test_a_run(continuable_queue):
            continuable_queue.use(jobs.app)
            jobs.send.enqueue(None)
            continuable_queue.run_enqueued()
        """
    )
    result.assert_outcomes(failed=2)
    test = "test_a_job_that_raises_undisturbed_shows_the_jobs_frames_and_none_of_ours.py"
    assert frames(result) == [test, "jobs.py", "jobs.py"] * 2


def test_what_cannot_be_checked_shows_no_frame_of_ours(project):
    result = project(
        """
        import jobs

        def test_a_missing_reset(check_resumable):
            check_resumable(jobs.send, ["a"], observe=lambda: [*jobs.sent])

        def test_a_reset_that_fails(check_resumable):
            resets = []

            def reset():
                jobs.sent.clear()
                resets.append(None)
                assert len(resets) < 5

            check_resumable(jobs.send, ["a"], observe=lambda: {*jobs.sent}, reset=reset)
        """
    )
    result.assert_outcomes(failed=2)
    test = "test_what_cannot_be_checked_shows_no_frame_of_ours.py"
    assert frames(result) == [test] * 3, "the third is that of reset"
    result.stdout.fnmatch_lines(["E *NotRepeatableError: There is no reset= that makes *"])


def test_an_interruption_that_never_came_shows_no_frame_of_ours(project):
    result = project(
        """
        import jobs
        from continuable.testing import interrupt_during_step

        def test_it(continuable_queue):
            continuable_queue.use(jobs.app)
            with interrupt_during_step(jobs.send, "mail", cursor=9):
                continuable_queue.run_enqueued()
        """
    )
    result.assert_outcomes(failed=1)
    assert frames(result) == ["test_an_interruption_that_never_came_shows_no_frame_of_ours.py"]
    result.stdout.fnmatch_lines(["E*send was never at a checkpoint in step 'mail' with cursor 9*"])


def test_nothing_of_the_kit_is_imported_before_it_is_used(project):
    result = project(
        """
        import sys

        def test_it():
            kit = {name for name in sys.modules if name.startswith("continuable.testing.")}
            assert kit == {"continuable.testing.plugin"}
            assert "continuable.queues.embedded" not in sys.modules
        """
    )
    result.assert_outcomes(passed=1)
