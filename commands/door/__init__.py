"""The door: one ledger for the application's life, one request at a time."""
