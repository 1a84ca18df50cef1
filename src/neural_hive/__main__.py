"""`python -m neural_hive` is the `hive` command."""

from neural_hive.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
