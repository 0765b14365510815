"""Alembic migrations: the only place that creates or alters tables."""
