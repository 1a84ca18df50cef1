"""The event bus: events between processes, one file per product."""
