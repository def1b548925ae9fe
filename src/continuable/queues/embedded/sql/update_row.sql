-- A delay that begins now is told from one that was there before, in case the clock is set back.
UPDATE continuable_jobs SET
    ROW_ASSIGNMENTS,
    delayed_at = iif(:run_at IS NULL, NULL, iif(:run_at IS run_at, delayed_at, :now))
WHERE id = :id
