"""Mail: what is sent to whom, kept in an outbox until it is sent. No command waits for it, and none fails by it."""
