"""One execution of one job: no I/O, no threads, nothing but the standard library."""
