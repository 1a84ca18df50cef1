"""Logs, metrics, traces and health. It listens; nothing below imports it."""
