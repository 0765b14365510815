"""Changes of what is on record that need nobody where nothing stands on it, and a request where something does."""
