"""Asks log witnesses for cosignatures: the client's side of C2SP tlog-witness, ``POST <url>/add-checkpoint``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.cosignature import verify_cosignature
from crypto.log.errors import LogError
from crypto.log.merkle import MAX_SIZE
from crypto.log.note import Note, NoteSignature, VerifierKey, decode_decimal, decode_signature_lines
from crypto.log.policy import MAX_FUTURE_SKEW
from crypto.log.witness import CosignRequest

SIZE_TYPE = "text/x.tlog.size"
_MAX_ANSWER_BYTES = 16_384
#: Conflicts that are answered with another proof before this round gives up: another process may be at it as well.
_CONFLICTS = 3

#: Gives the consistency proof from an old size to the size of the checkpoint at hand.
Prover = Callable[[int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Witness:
    """A log witness: its key (type 0x04), and its address without ``/add-checkpoint``."""

    key: VerifierKey
    url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request.

    Attributes:
        line: the verified cosignature, where there is one.
        ahead: the size that the witness says it remembers, where that is more than was shown to it.
        contradicts: it says that what it remembers is not the beginning of what was shown to it.
        failure: why there is no cosignature.
    """

    witness: str
    line: NoteSignature | None = None
    ahead: int = 0
    contradicts: bool = False
    failure: str = ""

    @property
    def was_heard(self) -> bool:
        """Whether it told what it remembers."""
        return self.line is not None or self.ahead > 0 or self.contradicts


class WitnessClient:
    """Talks to all witnesses at once; a slow or lying one costs its own cosignature and nothing else."""

    def __init__(self, witnesses: Sequence[Witness], *, seconds: float = 5.0, retries: int = 2) -> None:
        self.witnesses = tuple(witnesses)
        self._retries = retries
        self._known: dict[VerifierKey, int] = {}
        self._http = httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def submit(self, note: Note, prove: Prover, now: int) -> list[Outcome]:
        """Show a signed checkpoint to every witness.

        Args:
            note: signed by the log.
            prove: called in the caller's thread before anything is sent, and again in threads after conflicts.
            now: seconds since 1970; a cosignature dated far ahead does not count.
        """
        if not self.witnesses:
            return []
        with ThreadPoolExecutor(len(self.witnesses), "witness") as pool:
            return list(pool.map(lambda witness: self._ask(witness, note, prove, now), self.witnesses))

    def _ask(self, witness: Witness, note: Note, prove: Prover, now: int) -> Outcome:
        name = witness.key.name
        size = decode_checkpoint_text(note.text).size
        old = min(self._known.get(witness.key, size), size)
        for _ in range(_CONFLICTS):
            try:
                status, kind, body = self._post(witness, CosignRequest(old, prove(old), note).encode())
                if status == 409 and kind == SIZE_TYPE:
                    remembered = decode_decimal(body.decode("ascii").removesuffix("\n"), "size", MAX_SIZE)
                    if remembered > size:
                        return Outcome(name, ahead=remembered, failure=f"has cosigned size {remembered} already")
                    if remembered == old:
                        return Outcome(name, failure=f"does not accept this checkpoint of size {size}")
                    old = remembered
                    continue
                if status == 422:
                    return Outcome(name, contradicts=True, failure=f"remembers another beginning, of size {old}")
                if status != 200:
                    return Outcome(name, failure=f"answered with status {status}")
                line = next((item for item in decode_signature_lines(body.decode()) if item.is_by(witness.key)), None)
                if line is None:
                    return Outcome(name, failure="answered without its own cosignature")
                if verify_cosignature(note.text, line, witness.key) > now + MAX_FUTURE_SKEW:
                    return Outcome(name, failure="dates its cosignature in the future")
            except httpx.HTTPError as error:
                return Outcome(name, failure=f"cannot be reached ({type(error).__name__})")
            except (LogError, UnicodeDecodeError) as error:
                return Outcome(name, failure=f"answered with nonsense: {error}")
            self._known[witness.key] = size
            return Outcome(name, line)
        return Outcome(name, failure="changed its mind too often")

    def _post(self, witness: Witness, body: bytes) -> tuple[int, str, bytes]:
        """Status, media type and bounded body; tried again after errors, but not after a silence that took its time."""
        for attempt in range(self._retries + 1):
            is_last = attempt == self._retries
            try:
                with self._http.stream("POST", f"{witness.url.rstrip('/')}/add-checkpoint", content=body) as response:
                    if response.status_code >= 500 and not is_last:
                        continue
                    answer = b""
                    for chunk in response.iter_bytes(4096):
                        answer += chunk
                        if len(answer) > _MAX_ANSWER_BYTES:
                            raise httpx.DecodingError("the answer is too long")
                    kind = response.headers.get("content-type", "").partition(";")[0].strip()
                    return response.status_code, kind, answer
            except httpx.TransportError as error:
                if is_last or isinstance(error, httpx.TimeoutException):
                    raise
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")
