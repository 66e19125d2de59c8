"""Errors of the transparency log, one branch of the tree rooted in ``CryptoError``."""

from __future__ import annotations

from crypto.errors import CryptoError, DecodeError


class LogError(CryptoError):
    """Root of every error about a transparency log."""


class LogFormatError(LogError, DecodeError):
    """A note, checkpoint, policy, proof, tile or bundle is not in its canonical form."""


class InvalidLogProof(LogError):
    """An inclusion or consistency proof does not lead to the given root."""


class InvalidNoteSignature(LogError):
    """A signature by a known key does not verify.

    Attributes:
        key_name: name of the key under which the bad signature was presented.
    """

    def __init__(self, message: str, key_name: str) -> None:
        super().__init__(message)
        self.key_name = key_name


class UnknownLog(LogError):
    """A checkpoint that none of the trusted logs signed."""


class QuorumNotReached(LogError):
    """Too few acceptable cosignatures.

    Attributes:
        cosigned: policy names of the witnesses that did count.
        future: policy names of the witnesses whose cosignatures were dated too far ahead.
    """

    def __init__(self, message: str, cosigned: tuple[str, ...], future: tuple[str, ...]) -> None:
        super().__init__(message)
        self.cosigned = cosigned
        self.future = future


class WitnessRefusal(LogError):
    """A log witness does not cosign.

    Attributes:
        status: the HTTP status that C2SP tlog-witness prescribes for this case.
        size: for a conflict, the size of the last checkpoint that was cosigned.
    """

    def __init__(self, status: int, message: str, size: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.size = size
