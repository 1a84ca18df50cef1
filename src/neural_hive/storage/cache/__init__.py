"""The cache: short-lived values, one file per product."""
