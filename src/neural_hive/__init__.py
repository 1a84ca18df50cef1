"""Neural Hive-Mind: an intent in, five opinions and one recorded decision out."""

__version__ = "0.1.0"
