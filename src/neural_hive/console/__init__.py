"""The web console: pages for people, rendered here, live by server-sent events."""

from neural_hive.console.mounting import OPEN_PATHS, mount_console

__all__ = ["OPEN_PATHS", "mount_console"]
