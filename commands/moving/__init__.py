"""Whole ledgers: made, upgraded, exported, imported."""
