"""Facts, and how they are kept: the events, their log, and the proof that nothing was rewritten."""

__version__ = "0.1.0"
