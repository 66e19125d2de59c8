"""Databases for short runs."""

from __future__ import annotations

from tests.support.databases import fixture_postgres

__all__ = ["fixture_postgres"]
