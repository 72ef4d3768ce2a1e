"""Fixtures of the event queries' tests: those of the projection that they read."""

from tests.traceability.projection.conftest import database_url, engine, world

__all__ = ["database_url", "engine", "world"]
