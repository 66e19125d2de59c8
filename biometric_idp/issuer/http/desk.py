"""What an issuer's endpoints stand on: the issuer, its ledger's log, and what was last published about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from biometric_idp.errors import StateError
from biometric_idp.issuer.http.config import IssuerConfig
from biometric_idp.issuer.keys import IssuerDirectory
from biometric_idp.issuer.ledger import PositionProof
from biometric_idp.issuer.position_tree import PositionTree, TreeStatement
from biometric_idp.issuer.remembered import Remembered
from biometric_idp.issuer.service import Issuer
from biometric_idp.issuer.store import IssuerStore
from biometric_idp.logs.online import OnlineLog
from biometric_idp.request import Answer, Refusal
from crypto.group import load_pairing_group, set_threads
from services.problems import Problem

Clock = Callable[[], int]
Probe = Callable[[str], None]


class Desk:
    """One issuer's state in one process. Its methods block: they are called in threads."""

    def __init__(
        self,
        config: IssuerConfig,
        base: Path,
        *,
        clock: Clock = lambda: int(time.time()),
        probe: Probe = lambda _: None,
    ) -> None:
        """Open everything that answering takes.

        Args:
            base: directory that the configuration's paths are relative to.

        Raises:
            IdpError: no election was opened here, the key share is not this issuer's, or the database is read-only or
                an old copy.
        """
        set_threads(config.threads)
        directory = IssuerDirectory(base / config.directory, config.database)
        self.policy, self.roll = directory.read_election()
        self.keys = directory.issuer_keys(self.policy)
        self._secret = directory.read_key().ledger_secret
        self._clock = clock
        self._tokens = [bytes.fromhex(auditor.token_sha256) for auditor in config.auditors]
        self.store = IssuerStore(directory.database, self.policy.fingerprint, self.keys.index, probe=probe)
        try:
            self.store.require_writable()
            remembered = Remembered(directory.head if config.head_file is None else base / config.head_file)
            remembered.require_current(self.store)
            self._issuer = Issuer(
                self.policy,
                self.roll,
                self.keys,
                self.store,
                load_pairing_group(),
                remember=remembered.answered.raise_to,
            )
            self.log = OnlineLog(
                self.store.engine,
                self.store.log.origin,
                self.keys.signing,
                config.witness_list(),
                config.quorum,
                head_file=remembered.head,
                probe=probe,
            )
            # The head file is asked before anything is answered.
            self.log.sign()
        except BaseException:
            self.store.close()
            raise
        self._witnesses_asked = threading.Event()
        self._counted: tuple[int, dict[str, tuple[int, int]]] = (0, {})
        self._counting = threading.Lock()
        self._tree: tuple[PositionTree, TreeStatement] | None = None

    def close(self) -> None:
        self.log.close()
        self.store.close()

    def answer(self, requests: Sequence[bytes]) -> list[Answer | Refusal]:
        """Answer or refuse each request; durable before this returns.

        Witnesses are asked once before the first answer: without them the earlier answers of a lost database, and with
        them the head file, would be all there is against serving a voter twice (attack O2).

        Raises:
            Problem: ``out-of-service``, the database is an old copy.
        """
        self._witnesses_asked.wait()
        self.require_in_service()
        return self._issuer.answer(requests, self._clock())

    def require_in_service(self) -> None:
        """What an old copy knows is not what was issued: nothing is told of it.

        Raises:
            Problem: ``out-of-service``, the database is an old copy.
        """
        if self.log.stale is not None:
            raise Problem("out-of-service")

    def ready(self) -> None:
        """Raises where the database is gone, or an old copy."""
        if self.log.stale is not None:
            raise StateError(self.log.stale)
        with self.store.snapshot():
            pass

    def publish(self) -> None:
        """Sign a checkpoint of the ledger, have it cosigned, and publish it."""
        try:
            self.log.publish(self._clock())
        finally:
            self._witnesses_asked.set()

    def counts(self) -> tuple[int, dict[str, tuple[int, int]]] | None:
        """Size of the published checkpoint, and per style what was issued up to it; None before the first.

        Raises:
            Problem: ``out-of-service``.
        """
        self.require_in_service()
        checkpoint = self.log.published()
        if checkpoint is None:
            return None
        with self._counting:
            size, counted = self._counted
            if size < checkpoint.size:
                with self.store.snapshot() as snapshot:
                    more = snapshot.until(checkpoint.size).counts(size)
                counted = {style: _sum(counted.get(style), more.get(style)) for style in counted.keys() | more.keys()}
                self._counted = checkpoint.size, counted
            return self._counted

    def grow_tree(self) -> None:
        """Make the tree for the ledger as it is now, unless there is one for this size, and sign it.

        Raises:
            StateError: the database is an old copy.
        """
        # As before answers: a tree of an old copy would deny what was issued.
        self._witnesses_asked.wait()
        if self.log.stale is not None:
            raise StateError(self.log.stale)
        with self.store.snapshot() as snapshot:
            size = snapshot.size
        present = self._tree
        if present is not None and present[0].ledger_size == size:
            return
        tree = PositionTree(self._secret, self.policy.fingerprint, size, len(self.roll), self._values(size))
        self._tree = tree, tree.sign(self.keys.signing, self.keys.index, self._clock())

    def tree_statement(self) -> TreeStatement | None:
        """The last signed tree; None before the first.

        Raises:
            Problem: ``out-of-service``.
        """
        self.require_in_service()
        return None if self._tree is None else self._tree[1]

    def prove(self, position: int) -> tuple[PositionProof, TreeStatement] | None:
        """What the last signed tree says about a position of the roll; None before the first tree.

        Raises:
            Problem: ``out-of-service``.
        """
        self.require_in_service()
        if self._tree is None:
            return None
        tree, statement = self._tree
        return tree.prove(position, self._values(tree.ledger_size)), statement

    def today(self) -> int:
        """Days since 1970-01-01 UTC."""
        return self._clock() // 86_400

    def is_auditor(self, token: str) -> bool:
        """Whether a bearer token is one of the accredited auditors'. Constant time in the tokens."""
        digest = sha256(token.encode()).digest()
        # All are compared, whichever fits.
        return sum(compare_digest(digest, known) for known in self._tokens) > 0

    def _values(self, size: int) -> Callable[[int, int], Mapping[int, bytes]]:
        def values(start: int, stop: int) -> Mapping[int, bytes]:
            with self.store.snapshot() as snapshot:
                return snapshot.until(size).hashes(start, stop)

        return values


def _sum(left: tuple[int, int] | None, right: tuple[int, int] | None) -> tuple[int, int]:
    a, b = left or (0, 0), right or (0, 0)
    return a[0] + b[0], a[1] + b[1]
