"""Names and encodings of the files of a ceremony; whoever reads and writes them is somewhere else.

Public files lie in one directory that all participants share or carry around:

    attempt-<a>/<round>-<type>.<role>.cbor    one envelope each
    attempt-<a>/failed.cbor                   the whole attempt, once somebody was named
    transcript.cbor                           the transcript blob

Each participant keeps two secret files for itself: its state while the ceremony lasts, and its key share afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crypto import cbor
from crypto.dkg import messages
from crypto.dkg.messages import MAX_ENVELOPE_BYTES, ROUND_TYPES, as_map
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.participant import Completed, KeyShare
from crypto.dkg.secrets import SEED_BYTES
from crypto.errors import DecodeError
from crypto.hashing import sha

STATE_FORMAT = "evoting-ceremony-state/v1"
SHARE_FORMAT = "evoting-key-share/v1"
TRANSCRIPT_FILE = "transcript.cbor"
MAX_STATE_BYTES = 64 * 2**20
MAX_SHARE_BYTES = 2**20


def message_file(attempt: int, message_type: str, role: str) -> str:
    """Where a participant's message lies, relative to the shared directory."""
    return f"{round_prefix(attempt, round_of(message_type))}{message_type}.{role}.cbor"


def round_prefix(attempt: int, round_number: int) -> str:
    """What the names of all messages of a round begin with."""
    return f"attempt-{attempt}/{round_number}-"


def failed_file(attempt: int) -> str:
    """Where a failed attempt lies once it has been judged."""
    return f"attempt-{attempt}/failed.cbor"


def round_of(message_type: str) -> int:
    """1 to 4."""
    return next(number for number, types in enumerate(ROUND_TYPES, start=1) if message_type in types)


@dataclass(frozen=True)
class ParticipantState:
    """What a participant must remember between steps. Secret: it holds the seeds of its polynomials.

    Attributes:
        seeds: 64 random bytes for each attempt that is not over.
        published: every message that has left this participant, by file name.
        finished: the key share has been made and the seeds are erased.
    """

    kind: str
    manifest_hash: bytes
    index: int
    seeds: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    published: Mapping[str, bytes] = field(default_factory=dict)
    finished: bool = False

    @classmethod
    def new(cls, parameters: CeremonyParameters, index: int) -> ParticipantState:
        return cls(parameters.kind, parameters.manifest_hash, index)

    def with_seed(self, attempt: int, seed: bytes) -> ParticipantState:
        """Enter an attempt; the seeds of earlier ones are forgotten."""
        return replace(self, seeds={attempt: seed})

    def with_published(self, name: str, data: bytes) -> ParticipantState:
        return replace(self, published={**self.published, name: data})

    def published_in(self, attempt: int, round_number: int) -> tuple[str, bytes] | None:
        """Name and bytes of the message sent in a round, if it was sent."""
        prefix = round_prefix(attempt, round_number)
        return next(((name, data) for name, data in self.published.items() if name.startswith(prefix)), None)

    def without_seeds(self) -> ParticipantState:
        return replace(self, seeds={}, finished=True)

    def encode(self) -> bytes:
        return cbor.encode(
            {
                "format": STATE_FORMAT,
                "kind": self.kind,
                "manifest": self.manifest_hash,
                "index": self.index,
                "seeds": [{"attempt": attempt, "seed": seed} for attempt, seed in sorted(self.seeds.items())],
                "published": [{"name": name, "message": data} for name, data in sorted(self.published.items())],
                "finished": self.finished,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> ParticipantState:
        """The state in a file.

        Raises:
            DecodeError: truncated, foreign, or of another format.
        """
        keys = {"format", "kind", "manifest", "index", "seeds", "published", "finished"}
        fields = _open_file(data, MAX_STATE_BYTES, "a ceremony state", STATE_FORMAT, keys)
        seeds = [as_map(item, "a seed", {"attempt", "seed"}) for item in messages.field(fields, "seeds", list)]
        published = [
            as_map(item, "a message", {"name", "message"}) for item in messages.field(fields, "published", list)
        ]
        finished = fields["finished"]
        state = cls(
            messages.field(fields, "kind", str),
            messages.field(fields, "manifest", bytes),
            messages.field(fields, "index", int),
            {messages.field(item, "attempt", int): messages.field(item, "seed", bytes) for item in seeds},
            {messages.field(item, "name", str): messages.field(item, "message", bytes) for item in published},
            finished is True,
        )
        if not isinstance(finished, bool) or any(len(seed) != SEED_BYTES for seed in state.seeds.values()):
            raise DecodeError("a ceremony state with members that have no meaning")
        return state


@dataclass(frozen=True)
class KeyShareFile:
    """A participant's key shares, one for each label, with what they belong to. Secret.

    Attributes:
        transcript_hash: SHA-256 of the transcript blob that the shares come from.
    """

    kind: str
    manifest_hash: bytes
    transcript_hash: bytes
    index: int
    threshold: int
    shares: tuple[KeyShare, ...]

    @classmethod
    def of(cls, parameters: CeremonyParameters, completed: Completed, transcript_hash: bytes) -> KeyShareFile:
        return cls(
            parameters.kind,
            parameters.manifest_hash,
            transcript_hash,
            completed.key_shares[0].index,
            parameters.threshold,
            completed.key_shares,
        )

    def share(self, label: str) -> KeyShare:
        """The share of one key.

        Raises:
            KeyError: there is none with this label.
        """
        for share in self.shares:
            if share.label == label:
                return share
        raise KeyError(label)

    def encode(self) -> bytes:
        body = cbor.encode(
            {
                "kind": self.kind,
                "manifest": self.manifest_hash,
                "transcript": self.transcript_hash,
                "index": self.index,
                "threshold": self.threshold,
                "shares": [
                    {
                        "label": share.label,
                        "secret": share.secret,
                        "verification-key": share.verification_key,
                        "joint-key": share.joint_key,
                    }
                    for share in self.shares
                ],
            }
        )
        return cbor.encode({"format": SHARE_FORMAT, "body": body, "checksum": _checksum(body)})

    @classmethod
    def decode(cls, data: bytes) -> KeyShareFile:
        """The key shares in a file.

        Raises:
            DecodeError: truncated, damaged, foreign, or of another format.
        """
        outer = _open_file(data, MAX_SHARE_BYTES, "a key share", SHARE_FORMAT, {"format", "body", "checksum"})
        body = messages.field(outer, "body", bytes)
        if outer["checksum"] != _checksum(body):
            raise DecodeError("the key share is damaged: its checksum does not match")
        keys = {"kind", "manifest", "transcript", "index", "threshold", "shares"}
        fields = as_map(cbor.decode(body), "a key share", keys)
        index = messages.field(fields, "index", int)
        items = [
            as_map(item, "a share", {"label", "secret", "verification-key", "joint-key"})
            for item in messages.field(fields, "shares", list)
        ]
        shares = tuple(
            KeyShare(
                messages.field(item, "label", str),
                index,
                messages.field(item, "secret", bytes),
                messages.field(item, "verification-key", bytes),
                messages.field(item, "joint-key", bytes),
            )
            for item in items
        )
        return cls(
            messages.field(fields, "kind", str),
            messages.field(fields, "manifest", bytes),
            messages.field(fields, "transcript", bytes),
            index,
            messages.field(fields, "threshold", int),
            shares,
        )


def _checksum(body: bytes) -> bytes:
    return sha("evoting/v1/key-share-checksum", body)[:8]


def _open_file(data: bytes, limit: int, what: str, format_name: str, keys: set[str]) -> dict[str, object]:
    fields = as_map(cbor.decode(data, limit=limit), what, keys)
    if fields["format"] != format_name:
        raise DecodeError(f"{what} of an unknown format")
    return fields


__all__ = [
    "MAX_ENVELOPE_BYTES",
    "TRANSCRIPT_FILE",
    "KeyShareFile",
    "ParticipantState",
    "failed_file",
    "message_file",
    "round_of",
    "round_prefix",
]
