"""Answers over HTTP: the API, and pages for people. Only ``daybook serve`` imports it, with what a server needs."""
