"""What all roles on one SQLite file share: the version check, one writer thread, read connections, migrations."""
