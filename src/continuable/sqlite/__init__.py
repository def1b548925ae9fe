"""SQLite files that threads and processes share: what the embedded queue and a store stand on."""
