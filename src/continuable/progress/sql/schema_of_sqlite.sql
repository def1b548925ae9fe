CREATE TABLE IF NOT EXISTS continuable_progress (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    queue TEXT,
    priority INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    progress TEXT NOT NULL,
    state TEXT NOT NULL,
    worker TEXT,
    ended_by TEXT,
    lease_until REAL,
    fence INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    issued INTEGER NOT NULL,
    executions INTEGER NOT NULL,
    resumptions INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    deaths INTEGER NOT NULL,
    enqueued_at REAL NOT NULL,
    run_at REAL,
    started_at REAL,
    saved_at REAL,
    finished_at REAL,
    longest_gap REAL NOT NULL,
    reason TEXT,
    error TEXT,
    traceback TEXT,
    result TEXT,
    envelope TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS continuable_progress_enqueued
ON continuable_progress (enqueued_at);
CREATE INDEX IF NOT EXISTS continuable_progress_state
ON continuable_progress (state, enqueued_at);
CREATE INDEX IF NOT EXISTS continuable_progress_lease
ON continuable_progress (lease_until);
CREATE INDEX IF NOT EXISTS continuable_progress_worker
ON continuable_progress (worker);
CREATE INDEX IF NOT EXISTS continuable_progress_finished
ON continuable_progress (finished_at);

CREATE TABLE IF NOT EXISTS continuable_progress_history (
    entry INTEGER NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL,
    at REAL NOT NULL,
    event TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS continuable_progress_history_of_job
ON continuable_progress_history (job_id, entry);
