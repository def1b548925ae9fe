CREATE TABLE IF NOT EXISTS continuable_schema (version INTEGER NOT NULL) STRICT;

INSERT INTO continuable_schema (version)
SELECT 3 WHERE NOT EXISTS (SELECT 1 FROM continuable_schema);

-- A row of progress, as every store has it, and what a queue needs besides.
CREATE TABLE IF NOT EXISTS continuable_jobs (
    -- The order in which jobs came in.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    worker TEXT,
    ended_by TEXT,
    -- Infinite while a worker holds the job: its lock says whether it is alive.
    lease_until REAL,
    fence INTEGER NOT NULL DEFAULT 0,
    sequence INTEGER NOT NULL DEFAULT 0,
    delivery INTEGER NOT NULL DEFAULT 0,
    issued INTEGER NOT NULL DEFAULT 0,
    executions INTEGER NOT NULL DEFAULT 0,
    resumptions INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    enqueued_at REAL NOT NULL,
    -- Null unless the job is delayed.
    run_at REAL,
    -- When a delay in seconds was set, so that a clock that is set back is noticed.
    delayed_at REAL,
    started_at REAL,
    saved_at REAL,
    finished_at REAL,
    longest_gap REAL NOT NULL DEFAULT 0,
    unique_key TEXT,
    reason TEXT,
    -- What may be long comes last: reading the others then skips it.
    error TEXT,
    arguments TEXT NOT NULL,
    progress TEXT NOT NULL,
    result TEXT,
    traceback TEXT,
    envelope TEXT,
    is_ready INTEGER NOT NULL GENERATED ALWAYS AS (
        state IN ('waiting', 'interrupted') AND run_at IS NULL
    ) VIRTUAL
) STRICT;

-- Only what may be claimed now is in here, so that a claim costs the same whatever else there is.
CREATE INDEX IF NOT EXISTS continuable_ready
ON continuable_jobs (queue, priority DESC, seq) WHERE is_ready;

CREATE INDEX IF NOT EXISTS continuable_delayed
ON continuable_jobs (state, run_at) WHERE run_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS continuable_delay_set
ON continuable_jobs (delayed_at) WHERE delayed_at IS NOT NULL;

-- A million waiting jobs are not in here, and one that starts and completes touches one page.
CREATE INDEX IF NOT EXISTS continuable_states
ON continuable_jobs (state, finished_at) WHERE state <> 'waiting';

CREATE UNIQUE INDEX IF NOT EXISTS continuable_unique
ON continuable_jobs (unique_key) WHERE unique_key IS NOT NULL AND finished_at IS NULL;

CREATE TABLE IF NOT EXISTS continuable_jobs_history (
    entry INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    at REAL NOT NULL,
    event TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS continuable_jobs_history_of_job
ON continuable_jobs_history (job_id, entry);
