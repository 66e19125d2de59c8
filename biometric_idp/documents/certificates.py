"""Certificates of the document world and the chain to a country's root (ICAO Doc 9303 part 12).

A chain is exactly two certificates long: the country signing authority (CSCA), which is configured, and the document
signer, which comes with the chip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from asn1crypto import crl, pem, x509

from biometric_idp.documents.der import decode_der, refusing
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.keys import PublicKey, decode_public_key, verify_signature

MAX_CERTIFICATE_BYTES = 16_384
MAX_CRL_BYTES = 4_194_304
MAX_ROOT_FILE_BYTES = 1_048_576
CODE = "chip-certificate"
#: Critical extensions that are understood here.
_UNDERSTOOD = frozenset({"basic_constraints", "key_usage", "private_key_usage_period"})


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate of version 3. Everything that is used of it is decoded at once: the parser is lazy."""

    der: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    serial: int
    not_before: datetime
    not_after: datetime
    key: PublicKey = field(repr=False)
    is_authority: bool
    usages: frozenset[str] | None
    key_id: bytes | None = field(repr=False)
    authority_key_id: bytes | None = field(repr=False)
    #: (not before, not after) of the private key, where the certificate says so.
    key_period: tuple[datetime | None, datetime | None]
    _algorithm: Any = field(repr=False, compare=False)
    _signature: bytes = field(repr=False)
    _signed: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return sha256(self.der).hexdigest()

    def verify_issued_by(self, authority: Certificate, what: str) -> None:
        """Check the authority's signature on this certificate.

        Raises:
            DocumentRefused: ``chip-untrusted`` where it does not hold.
        """
        verify_signature(
            authority.key,
            self._algorithm,
            self._signature,
            self._signed,
            None,
            "chip-untrusted",
            what,
        )

    def is_valid_at(self, moment: datetime) -> bool:
        return self.not_before <= moment <= self.not_after


def decode_certificate(der: bytes, what: str) -> Certificate:
    """Strict decoding.

    Raises:
        DocumentRefused: ``chip-certificate`` or ``chip-algorithm``.
    """
    parsed = decode_der(x509.Certificate, der, MAX_CERTIFICATE_BYTES, CODE, what)
    with refusing(CODE, what):
        body = parsed["tbs_certificate"]
        if body["version"].native != "v3":
            raise DocumentRefused(CODE, f"{what} is of no version 3")
        if body["signature"].dump() != parsed["signature_algorithm"].dump():
            raise DocumentRefused(CODE, f"{what} names two signature algorithms")
        extensions = _extensions(body["extensions"], what)
        constraints = extensions.get("basic_constraints")
        usage = extensions.get("key_usage")
        period = extensions.get("private_key_usage_period")
        key_id = extensions.get("key_identifier")
        authority = extensions.get("authority_key_identifier")
        authority_id = None if authority is None else authority["key_identifier"].native
        return Certificate(
            der,
            body["subject"].dump(),
            body["issuer"].dump(),
            body["serial_number"].native,
            body["validity"]["not_before"].native,
            body["validity"]["not_after"].native,
            decode_public_key(body["subject_public_key_info"], what),
            constraints is not None and bool(constraints["ca"].native),
            None if usage is None else frozenset(usage.native),
            None if key_id is None else key_id.native,
            authority_id,
            (None, None) if period is None else (period["not_before"].native, period["not_after"].native),
            parsed["signature_algorithm"],
            bytes(parsed["signature_value"]),
            body.dump(),
        )


def _extensions(items: Any, what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        name = item["extn_id"].native
        if name in found:
            raise DocumentRefused(CODE, f"{what} has an extension twice")
        if item["critical"].native and name not in _UNDERSTOOD:
            raise DocumentRefused(CODE, f"{what} has a critical extension that is not understood")
        found[name] = item["extn_value"].parsed if name in x509.Extension._oid_specs else None
    return found


@dataclass(frozen=True)
class _Revocations:
    """A verified revocation list of one authority."""

    this_update: datetime
    next_update: datetime
    serials: frozenset[int] = field(repr=False)


class CountryRoots:
    """Configured country signing certificates by issuing state (ICAO code), and revocation lists where there are any.

    Built once; may be read from several threads.
    """

    def __init__(
        self, roots: Mapping[str, Iterable[bytes]], crls: Iterable[bytes] = (), *, require_crl: bool = False
    ) -> None:
        """Decode and check the configuration.

        Args:
            roots: DER certificates by state.
            crls: DER revocation lists, each of one of the roots.
            require_crl: refuse signers of a root for which no current list is there.

        Raises:
            DocumentRefused: a root is no authority for certificates, or a list is of none of them.
        """
        self._require_crl = require_crl
        self._roots: dict[str, tuple[Certificate, ...]] = {}
        for state, ders in roots.items():
            decoded = []
            for index, der in enumerate(ders, 1):
                what = f"root {index} of {state}"
                root = decode_certificate(der, what)
                if not root.is_authority or root.usages is None or "key_cert_sign" not in root.usages:
                    raise DocumentRefused(CODE, f"{what} is no authority that signs certificates")
                if root.subject == root.issuer:
                    root.verify_issued_by(root, what)
                decoded.append(root)
            self._roots[state] = tuple(decoded)
        self._revoked: dict[str, _Revocations] = {}
        for index, der in enumerate(crls, 1):
            self._add_crl(der, f"revocation list {index}")

    def states(self) -> tuple[str, ...]:
        return tuple(sorted(self._roots))

    def require_signer(self, signer: Certificate, state: str, signed_at: datetime | None, now: datetime) -> Certificate:
        """Check a document signer up to a root of this state, and give that root.

        Args:
            signed_at: when the document was signed, where it says so; both certificates must have been valid then.

        Raises:
            DocumentRefused: ``chip-untrusted``, ``chip-certificate``, ``chip-expired``, ``chip-revoked``,
                ``chip-crl``.
        """
        root = self._issuer_of(signer, state)
        if signer.is_authority or signer.usages is None or "digital_signature" not in signer.usages:
            raise DocumentRefused(CODE, "the document signer's certificate is not for signatures, or is an authority's")
        moments = (now,) if signed_at is None else (signed_at, now)
        if signed_at is not None and signed_at > now:
            raise DocumentRefused("chip-expired", "the document was signed in the future")
        for certificate, what in ((signer, "the document signer's certificate"), (root, "the country's root")):
            if not all(certificate.is_valid_at(moment) for moment in moments):
                raise DocumentRefused("chip-expired", f"{what} is not valid, or was not when the document was signed")
        begin, end = signer.key_period
        if signed_at is not None and not (begin or signed_at) <= signed_at <= (end or signed_at):
            raise DocumentRefused("chip-expired", "the document was signed outside its key's period of use")
        self._require_not_revoked(signer, root, now)
        return root

    def _issuer_of(self, signer: Certificate, state: str) -> Certificate:
        candidates = [
            root
            for root in self._roots.get(state, ())
            if root.subject == signer.issuer
            and (signer.authority_key_id is None or root.key_id in (None, signer.authority_key_id))
        ]
        for root in candidates:
            try:
                signer.verify_issued_by(root, "the document signer's certificate")
            except DocumentRefused:
                # A country that renewed its key may have several roots of one name.
                continue
            return root
        raise DocumentRefused("chip-untrusted", "no configured root of this state signed the document signer")

    def _require_not_revoked(self, signer: Certificate, root: Certificate, now: datetime) -> None:
        revocations = self._revoked.get(root.fingerprint)
        if revocations is None:
            if self._require_crl:
                raise DocumentRefused("chip-crl", "there is no revocation list of this root")
            return
        if not revocations.this_update <= now <= revocations.next_update:
            raise DocumentRefused("chip-crl", "the revocation list of this root is out of date")
        if signer.serial in revocations.serials:
            raise DocumentRefused("chip-revoked", "the document signer's certificate was revoked")

    def _add_crl(self, der: bytes, what: str) -> None:
        parsed = decode_der(crl.CertificateList, der, MAX_CRL_BYTES, "chip-crl", what)
        with refusing("chip-crl", what):
            body = parsed["tbs_cert_list"]
            issuer = body["issuer"].dump()
            if body["signature"].dump() != parsed["signature_algorithm"].dump():
                raise DocumentRefused("chip-crl", f"{what} names two signature algorithms")
            for item in body["crl_extensions"] if body["crl_extensions"].native else ():
                if item["critical"].native:
                    raise DocumentRefused("chip-crl", f"{what} has a critical extension that is not understood")
            serials = set()
            for entry in body["revoked_certificates"] if body["revoked_certificates"].native else ():
                if entry["crl_entry_extensions"].native and any(
                    item["critical"].native for item in entry["crl_entry_extensions"]
                ):
                    raise DocumentRefused("chip-crl", f"{what} has a critical extension that is not understood")
                serials.add(entry["user_certificate"].native)
            revocations = _Revocations(
                body["this_update"].native, body["next_update"].native or body["this_update"].native, frozenset(serials)
            )
            for root in (item for roots in self._roots.values() for item in roots if item.subject == issuer):
                if root.usages is None or "crl_sign" not in root.usages:
                    continue
                try:
                    verify_signature(
                        root.key, parsed["signature_algorithm"], bytes(parsed["signature"]), body.dump(), None,
                        "chip-crl", what,
                    )  # fmt: skip
                except DocumentRefused:
                    continue
                known = self._revoked.get(root.fingerprint)
                if known is None or known.this_update < revocations.this_update:
                    self._revoked[root.fingerprint] = revocations
                return
        raise DocumentRefused("chip-crl", f"{what} is signed by none of the roots")


def read_country_roots(directory: Path, *, require_crl: bool = False) -> CountryRoots:
    """Roots and revocation lists out of ``<directory>/<STATE>/*.der|*.cer|*.crt|*.pem`` and ``*.crl``.

    Raises:
        DocumentRefused: names the file.
        OSError: the directory cannot be read.
    """
    roots: dict[str, list[bytes]] = {}
    crls: list[bytes] = []
    for folder in sorted(item for item in directory.iterdir() if item.is_dir()):
        for path in sorted(folder.iterdir()):
            if path.suffix in (".der", ".cer", ".crt", ".pem"):
                roots.setdefault(folder.name, []).extend(_read_ders(path, MAX_ROOT_FILE_BYTES))
            elif path.suffix == ".crl":
                crls.extend(_read_ders(path, MAX_CRL_BYTES))
    return CountryRoots(roots, crls, require_crl=require_crl)


def _read_ders(path: Path, most: int) -> list[bytes]:
    data = path.read_bytes()
    if len(data) > most:
        raise DocumentRefused(CODE, f"{path}: {len(data)} bytes are too many")
    with refusing(CODE, str(path)):
        return [der for _, _, der in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
