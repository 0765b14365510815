"""A face without words: takes what is pending and what waits to the hosts that can read it."""
