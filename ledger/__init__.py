"""Facts, and how they are kept: events, the log they stand in, and the proof that nothing was rewritten."""

__version__ = "0.1.0"
