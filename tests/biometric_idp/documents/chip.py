"""A state that issues chips: signing authority, document signer, security object. Every part can be made wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import algos, cms, core, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from biometric_idp.documents.keys import domain_of
from biometric_idp.documents.lds import LDS_SECURITY_OBJECT
from tests.biometric_idp.documents.test_mrz import td1

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SIGNED = datetime(2024, 3, 1, tzinfo=UTC)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
HASHES: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
JPEG = b"\xff\xd8\xff\xe0 a face \xff\xd9"


def tlv(tag: bytes, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return tag + bytes([size]) + value
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return tag + bytes([0x80 | len(digits)]) + digits + value


def dg1(lines: tuple[str, ...]) -> bytes:
    return tlv(b"\x61", tlv(b"\x5f\x1f", "".join(lines).encode()))


def face_record(image: bytes = JPEG, kind: int = 0, points: int = 1, **changes: int) -> bytes:
    block = points.to_bytes(2, "big") + bytes(14) + bytes(8 * points)
    block += bytes([1, kind]) + (240).to_bytes(2, "big") + (320).to_bytes(2, "big") + bytes(6) + image
    length = changes.get("face", len(block) + 4)
    record = length.to_bytes(4, "big") + block
    total = changes.get("total", len(record) + 14)
    return b"FAC\x00010\x00" + total.to_bytes(4, "big") + changes.get("faces", 1).to_bytes(2, "big") + record


def dg2(record: bytes | None = None, count: int = 1, templates: int = 1) -> bytes:
    template = tlv(b"\xa1", b"\x80\x02\x01\x01") + tlv(b"\x5f\x2e", face_record() if record is None else record)
    group = tlv(b"\x02", bytes([count])) + tlv(b"\x7f\x60", template) * templates
    return tlv(b"\x75", tlv(b"\x7f\x61", group))


def name(country: str, common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def explicit(certificate: bytes, key: PrivateKey, **changes: int) -> bytes:
    """The same certificate with the curve's numbers instead of its name, signed again by ``key``."""
    parsed = asn1_x509.Certificate.load(certificate)
    body = parsed["tbs_certificate"]
    info = body["subject_public_key_info"]
    domain = domain_of(info["algorithm"]["parameters"].chosen.native)
    size = (domain.p.bit_length() + 7) // 8

    def octets(value: int) -> bytes:
        return value.to_bytes(size, "big")

    x, y = changes.get("x", domain.x), changes.get("y", domain.y)
    info["algorithm"]["parameters"] = keys.ECDomainParameters(
        "specified",
        {
            "version": 1,
            "field_id": {"field_type": "prime_field", "parameters": core.Integer(domain.p)},
            "curve": {"a": octets(domain.a), "b": octets(changes.get("b", domain.b))},
            "base": b"\x04" + octets(x) + octets(y),
            "order": domain.order,
            "cofactor": 1,
        },
    )
    tbs = body.dump(force=True)
    signature = sign(key, tbs, "sha256", pss=False)
    parts = {
        "tbs_certificate": body,
        "signature_algorithm": parsed["signature_algorithm"],
        "signature_value": signature,
    }
    return bytes(asn1_x509.Certificate(parts).dump())


def sign(key: PrivateKey, data: bytes, digest: str, *, pss: bool) -> bytes:
    hashed = HASHES[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashed))
    if pss:
        return key.sign(data, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
    return key.sign(data, padding.PKCS1v15(), hashed)


def algorithm_of(key: PrivateKey, digest: str, *, pss: bool) -> algos.SignedDigestAlgorithm:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})
    if not pss:
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_rsa"})
    parameters = algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": digest}},
            "salt_length": HASHES[digest].digest_size,
        }
    )
    return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})


@dataclass
class Authority:
    """A country signing authority."""

    key: PrivateKey
    country: str = "KG"
    common: str = "CSCA"
    digest: str = "sha256"
    pss: bool = False
    begin: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2040, 1, 1, tzinfo=UTC)
    authority: bool = True
    key_cert_sign: bool = True
    crl_sign: bool = True

    @property
    def name(self) -> x509.Name:
        return name(self.country, self.common)

    def certificate(self) -> bytes:
        return self._build(self.name, self.key.public_key(), 1, self.begin, self.end, usage(
            key_cert_sign=self.key_cert_sign, crl_sign=self.crl_sign, digital_signature=False
        ), authority=self.authority)  # fmt: skip

    def issue(
        self, key: PrivateKey, *, serial: int = 7, begin: datetime = datetime(2023, 1, 1, tzinfo=UTC),
        end: datetime = datetime(2035, 1, 1, tzinfo=UTC), digital_signature: bool = True, authority: bool = False,
        extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> bytes:  # fmt: skip
        rights = usage(key_cert_sign=False, crl_sign=False, digital_signature=digital_signature)
        signer = name(self.country, f"Signer {serial}")
        return self._build(signer, key.public_key(), serial, begin, end, rights, authority=authority, extra=extra)

    def _build(
        self, subject: x509.Name, key: Any, serial: int, begin: datetime, end: datetime, rights: x509.KeyUsage, *,
        authority: bool, extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> bytes:  # fmt: skip
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key).serial_number(serial)
            .not_valid_before(begin).not_valid_after(end).add_extension(rights, critical=True)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )  # fmt: skip
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical=critical)
        chosen = padding.PSS(padding.MGF1(HASHES[self.digest]), HASHES[self.digest].digest_size) if self.pss else None
        certificate = builder.sign(self.key, HASHES[self.digest], rsa_padding=chosen)  # type: ignore[arg-type]
        return certificate.public_bytes(Encoding.DER)

    def crl(
        self, *serials: int, begin: datetime = NOW - timedelta(days=1), end: datetime = NOW + timedelta(days=30)
    ) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(begin).next_update(end)
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin).build()
            builder = builder.add_revoked_certificate(revoked)
        return builder.sign(self.key, HASHES[self.digest]).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def usage(*, key_cert_sign: bool, crl_sign: bool, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def security_object(groups: dict[int, bytes], digest: str = "sha256") -> bytes:
    items = b"".join(
        tlv(b"\x30", tlv(b"\x02", bytes([number])) + tlv(b"\x04", hashlib.new(digest, data).digest()))
        for number, data in groups.items()
    )
    algorithm = algos.DigestAlgorithm({"algorithm": digest}).dump()
    return tlv(b"\x30", b"\x02\x01\x00" + algorithm + tlv(b"\x30", items))


@dataclass
class Chip:
    """What a terminal reads. Change a field, then ask for ``sod``."""

    groups: dict[int, bytes]
    signer_key: PrivateKey
    signer: bytes
    digest: str = "sha256"
    pss: bool = False
    content: bytes | None = None
    content_type: str = LDS_SECURITY_OBJECT
    attribute_type: str | None = None
    message_digest: bytes | None = None
    signed_at: datetime | None = SIGNED
    certificates: list[bytes] | None = None
    sign_over: Callable[[bytes], bytes] = field(default=lambda attributes: attributes)
    with_attributes: bool = True
    signers: int = 1
    repeat_attribute: bool = False
    by_key_id: bool = False
    algorithm: algos.SignedDigestAlgorithm | None = None
    detached: bool = False

    def message(self) -> bytes:
        content = security_object(self.groups, self.digest) if self.content is None else self.content
        stated = self.message_digest or hashlib.new(self.digest, content).digest()
        attributes = [
            {"type": "content_type", "values": [self.attribute_type or self.content_type]},
            {"type": "message_digest", "values": [stated]},
        ]
        if self.signed_at is not None:
            attributes.append({"type": "signing_time", "values": [cms.Time({"utc_time": self.signed_at})]})
        if self.repeat_attribute:
            attributes.append({"type": "message_digest", "values": [stated]})
        signed = cms.CMSAttributes(attributes)
        parsed = asn1_x509.Certificate.load(self.signer)
        identifier = (
            cms.SignerIdentifier("subject_key_identifier", parsed.key_identifier)
            if self.by_key_id
            else cms.SignerIdentifier(
                "issuer_and_serial_number", {"issuer": parsed.issuer, "serial_number": parsed.serial_number}
            )
        )
        signer = {
            "version": "v3" if self.by_key_id else "v1",
            "sid": identifier,
            "digest_algorithm": {"algorithm": self.digest},
            "signature_algorithm": self.algorithm or algorithm_of(self.signer_key, self.digest, pss=self.pss),
            "signature": sign(self.signer_key, self.sign_over(signed.dump()), self.digest, pss=self.pss),
        }
        if self.with_attributes:
            signer["signed_attrs"] = signed
        else:
            signer["signature"] = sign(self.signer_key, content, self.digest, pss=self.pss)
        inner: dict[str, Any] = {"content_type": self.content_type}
        if not self.detached:
            inner["content"] = content
        message = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": self.digest}],
            "encap_content_info": inner,
            "signer_infos": [signer] * self.signers,
        }
        ders = [self.signer] if self.certificates is None else self.certificates
        if ders:
            message["certificates"] = [asn1_x509.Certificate.load(der) for der in ders]
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(message)}).dump())

    def sod(self) -> bytes:
        return tlv(b"\x77", self.message())


def make_chip(authority: Authority, key: PrivateKey | None = None, **issue: Any) -> Chip:
    key = key or ec.generate_private_key(ec.SECP256R1())
    groups = {1: dg1(td1()), 2: dg2()}
    return Chip(groups, key, authority.issue(key, **issue))


def public_der(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
