"""Adapters: the only place that imports a driver. One folder per role, one file per product; `open.py` is the table."""
