"""A store on an engine of the user's own leaves its connections as they were, and claims once."""

import contextlib
import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from continuable.errors import CheckpointError, JobNotFoundError, StoreBusyError
from continuable.model.payload import JobRecord
from continuable.progress import Claim, Leased, Note, Save
from continuable.progress.sqlalchemy import SQLAlchemyProgress, metadata

LOCK_WAIT_OF = {
    "sqlite": "PRAGMA busy_timeout",
    "postgresql": "SHOW lock_timeout",
    "mariadb": "SELECT @@SESSION.innodb_lock_wait_timeout",
    "mysql": "SELECT @@SESSION.innodb_lock_wait_timeout",
}
RECORD = JobRecord(id="job-1", name="job")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql_server", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
    ]
)
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'progress.db'}"
    server = request.getfixturevalue(request.param)
    return server if isinstance(server, str) else server.url


@contextmanager
def opened(url, **options):
    engine = sa.create_engine(url, **options)
    metadata.drop_all(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def commits_by_itself(driver):
    return driver.get_autocommit() if hasattr(driver, "get_autocommit") else driver.autocommit


def test_how_long_a_users_connection_waits_for_a_lock_stays_as_it_was(url):
    with opened(url, pool_size=1, max_overflow=0) as engine:
        store = SQLAlchemyProgress(engine)

        def lock_wait():
            with engine.connect() as connection:
                return connection.exec_driver_sql(LOCK_WAIT_OF[engine.dialect.name]).scalar()

        before = lock_wait()
        claim = store.claim(RECORD, "one")
        save = Save(claim.id, claim.fence, claim.worker, 1, "{}")
        assert store.save([save], timeout=0.05) == []
        assert lock_wait() == before
        with pytest.raises(JobNotFoundError):
            store.note("unknown", Note(0.0, "event", "{}"), timeout=0.05)
        assert lock_wait() == before


@pytest.mark.parametrize("how", ["engine", "options"])
def test_an_engine_in_autocommit_mode_lets_one_worker_claim(url, how):
    options = {"isolation_level": "AUTOCOMMIT"} if how == "engine" else {}
    with opened(url, **options) as engine:
        chosen = {} if options else {"isolation_level": "AUTOCOMMIT"}
        store = SQLAlchemyProgress(engine.execution_options(**chosen))
        store.create_tables()
        for number in range(10):
            record = JobRecord(id=f"job-{number}", name="job")
            together, answers = threading.Barrier(4), []

            def claim(worker, record=record, together=together, answers=answers):
                together.wait(60)
                answers.append(store.claim(record, worker))

            threads = [threading.Thread(target=claim, args=[name]) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len([answer for answer in answers if isinstance(answer, Claim)]) == 1
            assert len([answer for answer in answers if isinstance(answer, Leased)]) == 3


def test_a_write_on_an_engine_in_autocommit_mode_is_one_transaction(url):
    with opened(url, isolation_level="AUTOCOMMIT") as engine:
        store = SQLAlchemyProgress(engine)
        claim = store.claim(RECORD, "one")
        save = Save(claim.id, claim.fence, claim.worker, 1, '{"state":{}}')
        with contextlib.suppress(ZeroDivisionError), store._writing() as session:
            assert store._saved(session, save)
            raise ZeroDivisionError
        assert store.find("job-1").progress == {}
        if engine.dialect.name != "sqlite":
            with engine.connect() as connection:
                assert commits_by_itself(connection.connection.dbapi_connection)


def test_a_commit_on_a_connection_in_autocommit_mode_is_an_error(url):
    if url.startswith("sqlite"):
        pytest.skip("its transactions are begun by hand")
    with opened(url, isolation_level="AUTOCOMMIT") as engine:
        store = SQLAlchemyProgress(engine)
        claim = store.claim(RECORD, "one")
        with engine.begin() as connection, pytest.raises(CheckpointError, match="AUTOCOMMIT"):
            store.commit(connection, Save(claim.id, claim.fence, claim.worker, 1, "{}"))


def test_a_lock_that_is_taken_is_waited_for_as_long_as_was_asked_for(url):
    with opened(url) as engine:
        store = SQLAlchemyProgress(engine)
        claim = store.claim(RECORD, "one")
        save = Save(claim.id, claim.fence, claim.worker, 1, "{}")
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("UPDATE continuable_progress SET name = 'x'")
            with pytest.raises(StoreBusyError):
                store.save([save], timeout=0.05)
            connection.rollback()
        assert store.save([save]) == []


def test_an_engine_that_begins_transactions_of_sqlite_by_hand_is_written_to(tmp_path):
    """As SQLAlchemy's manual has it, for savepoints."""
    with opened(f"sqlite:///{tmp_path / 'progress.db'}") as engine:

        @sa.event.listens_for(engine, "connect")
        def stop_the_driver(connection, _record):
            connection.isolation_level = None

        @sa.event.listens_for(engine, "begin")
        def begin(connection):
            connection.exec_driver_sql("BEGIN")

        store = SQLAlchemyProgress(engine)
        claim = store.claim(RECORD, "one")
        assert store.save([Save(claim.id, claim.fence, claim.worker, 1, "{}")]) == []
        assert isinstance(store.claim(RECORD, "two"), Leased)
