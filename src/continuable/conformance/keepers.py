"""`KeeperSuite`: what every `Keeper` must do, be it a store or a queue that is its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest

from continuable.errors import CheckpointError, JobNotFoundError
from continuable.model.states import State
from continuable.progress import Note, Save

AT_3 = '{"completed":[],"current":["rows",3]}'
AT_5 = '{"completed":[],"current":["rows",5]}'
AT_8 = '{"completed":[],"current":["rows",8]}'

JOB = "import-42"


class HeldJob(Protocol):
    """A job that a worker runs."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def fence(self) -> int:
        """The number of the claim."""
        ...

    @property
    def worker(self) -> str:
        """Who holds it."""
        ...


class UserTransactions(Protocol):
    """How a user of the store opens transactions of their own on its database."""

    def begin(self) -> AbstractContextManager[Any]:
        """A connection with an open transaction, committed at the end or rolled back."""
        ...

    def connect(self) -> AbstractContextManager[Any]:
        """A connection without one."""
        ...

    def elsewhere(self) -> AbstractContextManager[Any]:
        """A connection with an open transaction on a database that does not hold the store."""
        ...


class KeeperSuite:
    """Subclass it, and give it all its fixtures; `transactions` only if it can commit."""

    @pytest.fixture
    def keeper(self) -> Any:
        """A `Keeper` that has the methods `find` and `history` of a `Board` too."""
        raise NotImplementedError("Give the suite a fixture `keeper`")

    @pytest.fixture
    def hold(self) -> Callable[[str], HeldJob]:
        """Makes a new job of that id, which the worker `one` runs from now on."""
        raise NotImplementedError("Give the suite a fixture `hold`")

    @pytest.fixture
    def take_away(self, keeper: Any) -> Callable[[str], object]:
        """Takes a job from its worker."""
        return lambda job_id: keeper.request(job_id, "restart")

    @pytest.fixture
    def transactions(self) -> UserTransactions | None:
        """For keepers that can commit."""
        return None

    @pytest.fixture
    def held(self, hold: Callable[[str], HeldJob]) -> HeldJob:
        """A job that the worker `one` runs."""
        return hold(JOB)

    # --- saves

    def test_a_save_is_there_for_all_to_see(self, keeper: Any, held: HeldJob) -> None:
        save = save_of(held, 1, AT_3)
        assert not keeper.is_written(save)
        assert keeper.save([save]) == []
        assert keeper.is_written(save)
        info = keeper.find(held.id)
        assert (info.step, info.cursor) == ("rows", 3)
        assert info.saved_at is not None

    def test_the_newest_save_wins(self, keeper: Any, held: HeldJob) -> None:
        assert keeper.save([save_of(held, 2, AT_5)]) == []
        assert keeper.save([save_of(held, 1, AT_3)]) == []
        assert keeper.find(held.id).cursor == 5

    def test_several_jobs_are_saved_at_once(
        self, keeper: Any, hold: Callable[[str], HeldJob], take_away: Callable[[str], object]
    ) -> None:
        jobs = [hold(f"job-{number}") for number in range(3)]
        take_away("job-1")
        taken_away = keeper.save([save_of(job, 1, AT_3) for job in jobs])
        assert taken_away == ["job-1"]
        assert [keeper.find(f"job-{n}").cursor for n in (0, 2)] == [3, 3]

    def test_the_history_keeps_its_newest_entries(self, keeper: Any, held: HeldJob) -> None:
        for number in range(203):
            keeper.note(held.id, Note(1_000.0 + number, "counted", f'{{"number":{number}}}'))
        entries = keeper.history(held.id)
        assert len(entries) == 200
        assert [entry.data["number"] for entry in entries] == list(range(3, 203))
        assert entries[0].at.timestamp() == 1_003.0

    # --- commits

    def test_a_store_that_cannot_commit_says_which_can(self, keeper: Any, held: HeldJob) -> None:
        if keeper.can_commit:
            return
        with pytest.raises(CheckpointError, match="SQLAlchemyProgress"):
            keeper.commit(object(), save_of(held, 1, AT_3))

    def test_cursor_and_rows_are_committed_together(
        self, keeper: Any, held: HeldJob, transactions: UserTransactions
    ) -> None:
        if not keeper.can_commit:
            return
        save = save_of(held, 1, AT_3)
        with transactions.begin() as connection:
            assert keeper.commit(connection, save)
            assert keeper.is_in_transaction(connection)
            assert not keeper.is_written(save)
        assert not keeper.is_in_transaction(connection)
        assert keeper.is_written(save)
        assert keeper.find(held.id).cursor == 3

    def test_neither_is_there_after_a_rollback(
        self, keeper: Any, held: HeldJob, transactions: UserTransactions
    ) -> None:
        if not keeper.can_commit:
            return
        save = save_of(held, 1, AT_3)
        with rolled_back(), transactions.begin() as connection:
            assert keeper.commit(connection, save)
            raise ZeroDivisionError
        assert not keeper.is_written(save)
        assert keeper.find(held.id).progress == {}

    def test_several_commits_in_a_row(
        self, keeper: Any, held: HeldJob, transactions: UserTransactions
    ) -> None:
        if not keeper.can_commit:
            return
        for number in range(1, 4):
            with transactions.begin() as connection:
                save = save_of(held, number, f'{{"current":["rows",{number}]}}')
                assert keeper.commit(connection, save)
        assert keeper.find(held.id).cursor == 3

    def test_a_zombies_commit_is_refused_in_its_transaction(
        self,
        keeper: Any,
        held: HeldJob,
        transactions: UserTransactions,
        take_away: Callable[[str], object],
    ) -> None:
        if not keeper.can_commit:
            return
        take_away(held.id)
        with rolled_back(), transactions.begin() as connection:
            assert not keeper.commit(connection, save_of(held, 1, AT_3))
            raise ZeroDivisionError
        assert keeper.find(held.id).progress == {}

    def test_a_commit_without_a_transaction_is_an_error(
        self, keeper: Any, held: HeldJob, transactions: UserTransactions
    ) -> None:
        if not keeper.can_commit:
            return
        with (
            transactions.connect() as connection,
            pytest.raises(CheckpointError, match="within an open transaction"),
        ):
            keeper.commit(connection, save_of(held, 1, AT_3))
        with pytest.raises(CheckpointError):
            keeper.commit(object(), save_of(held, 1, AT_3))

    def test_a_commit_on_another_database_is_an_error(
        self, keeper: Any, held: HeldJob, transactions: UserTransactions
    ) -> None:
        if not keeper.can_commit:
            return
        with (
            pytest.raises(CheckpointError, match="database"),
            transactions.elsewhere() as connection,
        ):
            keeper.commit(connection, save_of(held, 1, AT_3))

    # --- what is wanted of the jobs

    def test_a_worker_hears_of_the_jobs_that_it_holds(
        self, keeper: Any, held: HeldJob, take_away: Callable[[str], object]
    ) -> None:
        assert keeper.controls("one") == [(held.id, held.fence, State.RUNNING)]
        assert keeper.controls("two") == []
        keeper.request(held.id, "pause")
        assert keeper.controls("one") == [(held.id, held.fence, State.PAUSING)]
        keeper.request(held.id, "cancel")
        assert keeper.controls("one") == [(held.id, held.fence, State.CANCELLING)]
        take_away(held.id)
        assert keeper.controls("one") == []

    def test_a_note_for_a_job_that_is_not_there_is_an_error(self, keeper: Any) -> None:
        with pytest.raises(JobNotFoundError):
            keeper.note("nobody", Note(0.0, "event", "{}"))


# --- how the tests say what they mean


def save_of(held: HeldJob, sequence: int, document: str, *, made_progress: bool = True) -> Save:
    """A save of the execution that holds the job."""
    return Save(held.id, held.fence, held.worker, sequence, document, made_progress)


def rolled_back() -> AbstractContextManager[object]:
    """A block that ends in an error, and its transaction with it."""
    return pytest.raises(ZeroDivisionError)
