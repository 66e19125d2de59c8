"""What was checked about a person (``acr``), and which step is missing for more."""

from __future__ import annotations

from collections.abc import Sequence

DOCUMENT = "urn:evoting:acr:document"
PASSKEY = "urn:evoting:acr:passkey"
PASSKEY_FACE = "urn:evoting:acr:passkey+face"
#: From the weakest to the strongest; each implies the ones before.
ACR_VALUES = (DOCUMENT, PASSKEY, PASSKEY_FACE)


def required_level(asked: Sequence[str], least: str) -> str | None:
    """The weakest level that answers a request.

    Args:
        asked: ``acr_values`` in order of preference; any one of them will do. Empty asks for nothing.
        least: what the client's registration demands at least.

    Returns:
        None if all of ``asked`` are unknown here.
    """
    known = [ACR_VALUES.index(value) for value in asked if value in ACR_VALUES]
    if asked and not known:
        return None
    return ACR_VALUES[max([ACR_VALUES.index(least), *([min(known)] if known else [])])]


def missing_step(have: str, need: str) -> str | None:
    """The next step of the page, ``passkey`` or ``face``; None if the level is reached."""
    level = ACR_VALUES.index(have) if have in ACR_VALUES else -1
    if level >= ACR_VALUES.index(need):
        return None
    return "passkey" if level < ACR_VALUES.index(PASSKEY) else "face"
