"""Bodies of requests."""

from __future__ import annotations

from biometric_idp.shared.fields import Body, CredentialId


class RevokePasskey(Body):
    credential: CredentialId
