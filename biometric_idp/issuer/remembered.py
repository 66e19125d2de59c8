"""What an issuer remembers outside its ledger's database: the last signed head, and how much it answered for.

An old database could serve a voter twice, or sign a ledger without credentials that were issued (attack O2). Whatever
answers, signs or tells about the ledger asks here first.
"""

from __future__ import annotations

from pathlib import Path

from biometric_idp.errors import StateError
from biometric_idp.issuer.store import IssuerStore
from biometric_idp.logs.size_file import SizeFile


class Remembered:
    """Two files beside each other.

    Args:
        head: file of the last signed head; the size is in the file of this name with ``-size``.
    """

    def __init__(self, head: Path) -> None:
        self.head = head
        self.answered = SizeFile(head.with_name(head.name + "-size"))

    def require_current(self, store: IssuerStore) -> None:
        """Refuse a database that lacks what was answered for.

        Raises:
            StateError: it is an old copy, or the file with the size is damaged.
        """
        answered = self.answered.read()
        with store.snapshot() as snapshot:
            size = snapshot.size
        if answered > size:
            raise StateError(
                f"{answered} credentials were answered for, but the ledger has {size} entries: the database is an old "
                "copy, and nothing more is answered or signed"
            )
