"""Names of this service as they stand in Host headers."""

from __future__ import annotations

from collections.abc import Sequence


def host_values(names: Sequence[str], port: int) -> list[str]:
    """Exact Host headers. A name without a port is meant with the bound one too, which may be known only now."""
    values: list[str] = []
    for name in names:
        values.append(name)
        if ":" not in name:
            values.append(f"{name}:{port}")
    return values
