"""The tree of exceptions of this package."""

from __future__ import annotations


class ServiceError(Exception):
    """Root of every error that ``services`` raises on purpose; the text is one sentence for the operator."""


class ConfigError(ServiceError, ValueError):
    """A configuration file is wrong; the text names the file and the field."""


class DatabaseError(ServiceError):
    """The database cannot be used as it is: a replica, not durable, or of another version of the program."""
