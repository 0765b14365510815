"""Changes of what is on record: made at once where nothing stands on it, by a request where something does."""
