"""Tables of biometrics; the service that keeps them adds them to its own metadata and migrations."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table


@dataclass(frozen=True, slots=True)
class BiometricTables:
    """
    Attributes:
        templates: one row per voter and modality; a revoked one keeps neither key nor template.
        marks: keyed marks of ended liveness sessions, deleted when their time is over.
    """

    templates: Table
    marks: Table


def biometric_tables(metadata: MetaData) -> BiometricTables:
    """Add the tables to a service's metadata."""
    templates = Table(
        "biometric_template",
        metadata,
        Column("voter", String(64), primary_key=True),
        Column("modality", String(16), primary_key=True),
        Column("generation", Integer, nullable=False),
        Column("algorithm", String(64), nullable=False),
        Column("version", Integer, nullable=False),
        Column("state", String(16), nullable=False),
        # Both are NULL once revoked.
        Column("master", String(128), index=True),
        Column("wrapped", LargeBinary),
        Column("sealed", LargeBinary),
    )
    marks = Table(
        "liveness_marks",
        metadata,
        Column("session", String(64), primary_key=True),
        Column("voter", String(64), nullable=False, index=True),
        # Seconds since 1970.
        Column("expires", Float, nullable=False, index=True),
        Column("marks", LargeBinary, nullable=False),
    )
    return BiometricTables(templates, marks)
