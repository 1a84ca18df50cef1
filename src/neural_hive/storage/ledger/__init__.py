"""The ledger: cases, reviews and their outbox, one file per product."""
