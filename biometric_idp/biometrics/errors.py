"""What can go wrong with an image, a worker or a stored template, each with a code and the person's next step."""

from __future__ import annotations

from biometric_idp.errors import IdpError


class BiometricError(IdpError):
    """Root of the errors of this package that have a code; the texts for people are in ``problems.toml``.

    Attributes:
        code: stable name, an entry of ``problems.toml``, with the person's next step.
        detail: figures for the operator; never anything about the person.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class ImageRefused(BiometricError):
    """The image cannot be used; another one may be.

    Codes: image-unreadable, image-too-large, no-face, several-faces, face-too-small, too-dark, too-bright, blurred,
    no-finger.
    """


class TemplateMismatch(BiometricError):
    """Two templates of different modality, algorithm or version; they are never compared. Code: template-mismatch."""


class MatcherUnavailable(BiometricError):
    """Weights or native library are not installed. Code: matcher-unavailable."""


class WorkerFailed(BiometricError):
    """No answer: the worker was stopped at its deadline (matcher-timeout) or died (matcher-crashed)."""


class Busy(BiometricError):
    """The queue is full; nothing was started. Code: busy, of the common catalogue.

    Attributes:
        retry_after: seconds, for the Retry-After header of a 503.
    """

    def __init__(self, code: str = "busy", detail: str = "", retry_after: int = 1) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class VaultError(BiometricError):
    """A stored template cannot be used.

    Codes: template-missing, template-revoked, template-damaged (does not open under its key and binding),
    master-key-unusable.
    """
