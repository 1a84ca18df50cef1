"""The composition root: settings → an open Hive. The only place that knows every part."""

from __future__ import annotations
