"""Finds what a text names: systems, technologies, organisations, places, dates, durations, money, quantities,
groups."""

from neural_hive.understanding.entities.finder import EntityFinder, find_entities

__all__ = ["EntityFinder", "find_entities"]
