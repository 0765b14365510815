"""What the facts add up to now: tables that can be rebuilt from the events alone."""
