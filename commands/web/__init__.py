"""Serves answers over HTTP: the API. Nothing but ``daybook serve`` imports it, and it imports what a server needs."""
