-- The clock was set back: a wait that was to begin in the future begins now.
UPDATE continuable_jobs SET
    run_at = run_at - (delayed_at - :now),
    delayed_at = :now
WHERE delayed_at > :now + 1
