"""What the facts add up to now: tables that are rebuilt from events alone."""
