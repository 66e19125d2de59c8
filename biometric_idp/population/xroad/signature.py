"""A detached signature that a service puts beside its answer: JWS (RFC 7515 appendix F) over the body.

X-Road security servers sign every message themselves and keep the containers; a client does not see them. Where the
register signs as well, the signature is checked against one configured certificate and kept as evidence.
"""

from __future__ import annotations

import json
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

from biometric_idp.errors import FormatError
from biometric_idp.population.register import RegisterError

MAX_SIGNATURE = 8_192
_HEADER_NAMES = frozenset({"alg", "kid", "typ", "cty", "x5t#S256", "iat"})


class AnswerVerifier:
    """Checks detached signatures under one certificate."""

    def __init__(self, pem: bytes) -> None:
        """Take the certificate.

        Raises:
            FormatError: no certificate, or a key of no accepted kind.
        """
        try:
            self._certificate = x509.load_pem_x509_certificate(pem)
            key = self._certificate.public_key()
        except ValueError:
            raise FormatError("the certificate for signed answers is no PEM certificate") from None
        spki = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._key: ECKey | RSAKey | OKPKey
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"):
            self._key, self._algorithms = ECKey.import_key(spki), ["ES256" if key.key_size == 256 else "ES384"]
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            self._key, self._algorithms = RSAKey.import_key(spki), ["PS256", "RS256"]
        elif isinstance(key, Ed25519PublicKey):
            self._key, self._algorithms = OKPKey.import_key(spki), ["EdDSA", "Ed25519"]
        else:
            raise FormatError("the key for signed answers is neither P-256, P-384, Ed25519 nor RSA of 2048 bits")

    def verify(self, signature: str | None, body: bytes, now: datetime) -> None:
        """Check the header's value over the body.

        Raises:
            RegisterError: ``register-signature``.
        """
        if signature is None:
            raise RegisterError("register-signature", "the answer is not signed")
        parts = signature.split(".")
        if len(signature) > MAX_SIGNATURE or len(parts) != 3 or parts[1] or not signature.isascii():
            raise RegisterError("register-signature", "the answer's signature is no detached JWS")
        if not self._certificate.not_valid_before_utc <= now <= self._certificate.not_valid_after_utc:
            raise RegisterError("register-signature", "the certificate for signed answers is not valid today")
        try:
            header = json.loads(urlsafe_b64decode(parts[0].encode()))
            if type(header) is not dict or not header.keys() <= _HEADER_NAMES:
                # ``b64`` and ``crit`` would change what is signed.
                raise ValueError("a header that is not understood")
            jws.deserialize_compact(signature, self._key, algorithms=self._algorithms, payload=body)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise RegisterError("register-signature", "the answer's signature does not hold") from None
