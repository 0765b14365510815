"""Asks a ledger through its server. Knows neither click nor a database: it sends, and reads what comes back."""
