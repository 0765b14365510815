"""Requests to delete, restore, correct or redact: what they name, what they take, who decides."""
