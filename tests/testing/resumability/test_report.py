"""What a check says: of a job that resumes everywhere, and of one that does not."""

import pytest

from continuable.testing import NotResumableError


@pytest.fixture
def send(app, world):
    @app.job(name="send")
    def send(job, count=3):
        job.step(lambda: None, name="collect")

        @job.step(start=0)
        def mail(step):
            while step.cursor < count:
                world.append(step.cursor)
                step.advance()

        job.step(lambda: None, name="report")

    return send


def test_a_job_that_resumes_everywhere_is_told_in_a_sentence(app, check):
    @app.job(name="work")
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    found = check(work)
    assert str(found) == "work resumes everywhere: struck 7 times, at all 4 points."
    assert (found.job, found.points, found.struck, found.runs) == ("work", 4, 4, 7)
    found = check(work, faults=["interrupt"])
    assert str(found) == "work resumes everywhere: struck once, at its one point."


def test_the_report_in_full(send, report):
    assert (
        report(send, 2).text
        == """\
send does not resume everywhere: 4 of 19 strikes led to another result.

  Usual cause: an effect that is not idempotent. A process can die between the effect and the
  checkpoint that counts it, so that it is done again: write it so that twice is as good as once
  (an upsert, a key), or together with the cursor: step.commit(cursor, connection).
  - kill at 'mail', cursor 1, right before that was saved
      too much: 0
  - kill at 'mail', cursor 2, right before that was saved
      too much: 1
  - kill at 'mail', cursor 2, with nothing saved since the last step or commit
  - kill at the end of 'mail', with nothing saved since the last step or commit
      too much: 0, 1

It was struck 19 times, at all 8 points."""
    )


def test_between_two_steps_both_are_named(app, world, report):
    @app.job
    def work(job):
        rows = []
        job.step(lambda: rows.append(1), name="collect")
        job.step(lambda: world.extend(rows), name="report")

    text = report(work).text
    assert "- interrupt after 'collect', before 'report'\n" in text
    assert "- kill after 'collect', before 'report', with all progress saved\n" in text


def test_between_two_steps_both_are_named_across_an_isolated_one(app, world, report):
    @app.job
    def work(job):
        world.append(job.resumptions)
        job.step(lambda: None, name="a", isolated=True)
        job.step(lambda: None, name="b")
        job.step(lambda: None, name="c", isolated=True)

    found = report(work, faults=["interrupt"])
    assert found.strikes == ["interrupt after 'a', before 'b'", "interrupt after 'b', before 'c'"]


def test_before_the_first_step_the_next_one_is_named(app, world, report):
    @app.job
    def work(job):
        world.append(job.executions)
        job.checkpoint()
        job.step(lambda: None, name="a")
        job.checkpoint()

    found = report(work, faults=["interrupt"])
    assert found.strikes == [
        "interrupt before 'a'",
        "interrupt after 'a', before the job has ended",
    ]


def test_a_cursor_that_is_changed_in_place_is_told_as_it_was(app, world, report):
    @app.job
    def work(job):
        world.append(job.executions)

        @job.step(start=[0])
        def go(step):
            cursor = step.cursor
            while cursor[0] < 2:
                cursor[0] += 1
                step.set(cursor)

    found = report(work, faults=["interrupt"])
    assert found.strikes == ["interrupt at 'go', cursor [1]", "interrupt at 'go', cursor [2]"]


def test_of_many_failures_the_first_are_shown_in_full_and_all_are_named(send, report):
    found = report(send, 30)
    lines = found.text.splitlines()
    full, brief = lines[: lines.index("  and in the same way")], lines
    assert full.count("      too much: 0") == 1
    assert "  - kill at 'mail', cursor 30, right before that was saved: too much: 29" in brief
    assert "      too much: 29" not in brief
    for strike in found.strikes:
        assert strike in " ".join(found.text.split())


def test_of_many_differences_the_first_are_shown(app, report):
    counts = {}

    @app.job
    def work(job):
        @job.step(start=0)
        def count(step):
            for key in range(20):
                counts[key] = counts.get(key, 0) + 1
            step.advance()

    found = report(work, observe=lambda: counts, reset=counts.clear)
    assert "      [7]: 2 instead of 1\n      and 12 more differences\n" in found.text


def test_no_line_is_wider_than_a_terminal(app, world, report):
    @app.job(name="a_job_with_a_name_that_is_longer_than_one_would_like")
    def work(job):
        world.append({"text": "long " * 100, "execution": job.executions})
        job.step(lambda: None, name="a_step_with_a_name_that_is_longer_than_one_would_like")
        job.step(lambda: None, name="another_step_with_a_name_that_is_longer_than_one_would_like")

    assert max(map(len, report(work).text.splitlines())) <= 120


def test_the_error_has_what_the_text_says(send, check):
    with pytest.raises(NotResumableError) as caught:
        check(send, 2)
    failures = caught.value.failures
    assert [failure.strike.point.step for failure in failures] == ["mail", "mail", "mail", None]
    assert [failure.strike.point.cursor for failure in failures] == [1, 2, 2, None]
    assert {failure.strike.fault for failure in failures} == {"kill"}
    assert caught.value.resumability.runs == 19
    assert isinstance(caught.value, AssertionError)


def test_the_log_tells_of_the_undisturbed_run_alone(send, check, caplog):
    caplog.set_level("INFO", "continuable")
    with pytest.raises(NotResumableError):
        check(send)
    messages = [record.getMessage() for record in caplog.records]
    assert sum("step collect started" in message for message in messages) == 1
    assert not any("interrupted" in message for message in messages)


# Budget


def test_a_budget_samples_the_points_and_says_so(app, check):
    @app.job(name="work")
    def work(job):
        job.step(lambda: None, name="first")

        @job.step(start=0)
        def go(step):
            while step.cursor < 1000:
                step.advance()

    found = check(work, budget=20)
    assert (found.points, found.struck) == (1004, 20)
    assert str(found) == (
        "work resumes everywhere: struck 71 times, at 20 of 1004 points, sampled evenly with the "
        "first, the last and all borders of steps."
    )


def test_a_failing_check_says_what_was_sampled_as_well(send, report):
    text = report(send, 100, budget=10).text
    assert text.endswith(
        ", at 10 of 106 points, sampled evenly with the first, the last and all borders of steps."
    )


def test_a_budget_that_suffices_samples_nothing(send, world, report):
    assert report(send, 2, budget=8).text.endswith("at all 8 points.")


def test_strikes_that_were_chosen_are_said_to_be(app, check):
    @app.job(name="work")
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    assert str(check(work, strikes=[0, 3])) == (
        "work resumes everywhere: struck 2 times, at 2 of 4 points, chosen by strikes=."
    )


def test_a_job_that_cannot_be_struck_is_told_so(app, check):
    @app.job(name="work")
    def work(job):
        job.step(lambda: None, name="a")

    assert str(check(work, faults=["interrupt"])) == (
        "work resumes everywhere: there is no point at which these faults could strike."
    )
    assert check(work, faults=["interrupt"], strikes=[3]).runs == 0
