"""Schema versions by Alembic, run by the service itself when it starts; each service has its own version table.

A service's folder ``migrations/versions`` holds its revisions; there is no ``env.py``, because the engine is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text

from services.database import is_postgresql
from services.errors import DatabaseError

#: Two processes that start together take turns.
_LOCK = 7_203_811


def upgrade(engine: Engine, folder: Path, service: str) -> None:
    """Bring the schema up to the newest revision, in one transaction.

    Raises:
        DatabaseError: the database was made by a newer program.
    """
    script = ScriptDirectory(str(folder))

    def steps(revision: Any, _: Any) -> Any:
        known = {item.revision for item in script.walk_revisions()}
        strange = set(revision if isinstance(revision, tuple) else [revision] if revision else []) - known
        if strange:
            raise DatabaseError(
                f"the database has revision {', '.join(sorted(strange))}, which this program does not know"
            )
        return script._upgrade_revs("head", revision)

    with engine.begin() as connection:
        if is_postgresql(engine):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context = MigrationContext.configure(
            connection,
            opts={"fn": steps, "version_table": version_table(service), "script": script, "render_as_batch": True},
        )
        with Operations.context(context):
            context.run_migrations()


def differences(connection: Connection, metadata: MetaData, service: str) -> list[Any]:
    """What the revisions made and the models do not have, or the other way round; empty where they agree."""
    tables = set(metadata.tables)

    def ours(item: Any, name: str | None, kind: str, *_: Any) -> bool:
        return kind != "table" or name in tables

    context = MigrationContext.configure(
        connection, opts={"version_table": version_table(service), "include_object": ours, "compare_type": True}
    )
    return list(compare_metadata(context, metadata))


def version_table(service: str) -> str:
    return f"{service.replace('-', '_')}_version"
