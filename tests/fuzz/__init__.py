"""Fuzz targets: seeded, so that what was found can be found again. ``python -m tests.fuzz TARGET --seconds N``."""
