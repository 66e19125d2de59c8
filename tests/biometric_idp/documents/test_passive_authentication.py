"""Passive authentication: what holds passes with every algorithm of states; each planted defect has its code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from biometric_idp.documents.certificates import CountryRoots, read_country_roots
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.lds import ImageFormat, decode_dg2, decode_face_record
from biometric_idp.documents.passive_authentication import AuthenticDocument, authenticate_document
from tests.biometric_idp.documents.chip import (
    JPEG,
    NOW,
    SIGNED,
    Authority,
    Chip,
    dg1,
    dg2,
    explicit,
    face_record,
    make_chip,
    security_object,
    sign,
    tlv,
)
from tests.biometric_idp.documents.test_mrz import PIN, TD3, td1, td3

AUTHORITY = Authority(ec.generate_private_key(ec.SECP256R1()))
ROOTS = CountryRoots({"KGZ": [AUTHORITY.certificate()]})
FOREIGN = Authority(ec.generate_private_key(ec.SECP256R1()), country="UT")
# The authority's name with another key: only the signature tells them apart.
NAMESAKE = Authority(ec.generate_private_key(ec.SECP256R1()))


def check(
    chip: Chip, roots: CountryRoots = ROOTS, groups: dict[int, bytes] | None = None, now: datetime = NOW
) -> AuthenticDocument:
    return authenticate_document(chip.sod(), chip.groups if groups is None else groups, roots, now)


def code(work: Callable[[], object]) -> str:
    with pytest.raises(DocumentRefused) as caught:
        work()
    assert "\n" not in str(caught.value)
    assert PIN not in str(caught.value)
    return caught.value.code


def test_a_signed_document_gives_zone_and_face() -> None:
    chip = make_chip(AUTHORITY)
    document = check(chip)
    assert (document.mrz.pin, document.mrz.issuer, document.signed_at) == (PIN, "KGZ", SIGNED)
    assert document.face is not None
    assert (document.face.format, document.face.data) == (ImageFormat.JPEG, JPEG)
    assert (document.face.width, document.face.height) == (240, 320)
    assert document.data_groups == (1, 2)
    assert check(chip, groups={1: chip.groups[1]}).face is None
    assert PIN not in repr(document)


def test_a_passport_and_a_signer_named_by_key_identifier() -> None:
    chip = make_chip(AUTHORITY)
    chip.groups[1] = dg1(td3())
    chip.by_key_id = True
    assert check(chip).mrz.number == "PE1234567"


@pytest.mark.parametrize(
    "curve",
    [
        ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(),
        ec.BrainpoolP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1(),
    ],
    ids=lambda curve: curve.name,
)  # fmt: skip
@pytest.mark.parametrize("spelled", [False, True], ids=["named", "explicit"])
def test_ecdsa_over_named_and_explicit_curves(curve: ec.EllipticCurve, spelled: bool) -> None:
    authority = Authority(ec.generate_private_key(curve))
    chip = make_chip(authority, ec.generate_private_key(curve))
    chip.digest = {256: "sha256", 384: "sha384"}.get(curve.key_size, "sha512")
    root = authority.certificate()
    if spelled:
        root, chip.signer = explicit(root, authority.key), explicit(chip.signer, authority.key)
    assert check(chip, CountryRoots({"KGZ": [root]})).mrz.pin == PIN


@pytest.mark.parametrize("pss", [False, True], ids=["pkcs1v15", "pss"])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_rsa(pss: bool, digest: str) -> None:
    authority = Authority(rsa.generate_private_key(65537, 2048), pss=pss, digest=digest)
    chip = make_chip(authority, rsa.generate_private_key(65537, 2048))
    chip.pss, chip.digest = pss, digest
    assert check(chip, CountryRoots({"KGZ": [authority.certificate()]})).mrz.pin == PIN


def test_an_algorithm_may_leave_the_hash_to_the_signer() -> None:
    chip = make_chip(AUTHORITY, rsa.generate_private_key(65537, 2048))
    chip.algorithm = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"})
    assert check(chip).mrz.pin == PIN


def test_a_state_may_have_two_roots_of_one_name() -> None:
    assert check(make_chip(AUTHORITY), CountryRoots({"KGZ": [NAMESAKE.certificate(), AUTHORITY.certificate()]}))


Defect = Callable[[Chip], Any]


def _content(change: Callable[[bytes], bytes]) -> Defect:
    def defect(chip: Chip) -> None:
        chip.content = change(security_object(chip.groups))

    return defect


def _set(**changes: Any) -> Defect:
    def defect(chip: Chip) -> None:
        for name, value in changes.items():
            setattr(chip, name, value)

    return defect


def _reissue(by: Authority = AUTHORITY, **issue: Any) -> Defect:
    def defect(chip: Chip) -> None:
        chip.signer = by.issue(chip.signer_key, **issue)

    return defect


def _version_1_without_information(data: bytes) -> bytes:
    return data.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)


DEFECTS: dict[str, tuple[Defect, str]] = {
    "other attributes signed": (_set(sign_over=lambda data: data[:-1] + bytes([data[-1] ^ 1])), "chip-signature"),
    "signed under the tag inside": (_set(sign_over=lambda data: b"\xa0" + data[1:]), "chip-signature"),
    "wrong message digest": (_set(message_digest=bytes(32)), "chip-digest"),
    "content of another type": (_set(content_type="1.2.840.113549.1.7.1"), "chip-content-type"),
    "attribute of another type": (_set(attribute_type="1.2.840.113549.1.7.1"), "chip-content-type"),
    "no signed attributes": (_set(with_attributes=False), "chip-form"),
    "two signers": (_set(signers=2), "chip-form"),
    "no signers": (_set(signers=0), "chip-form"),
    "an attribute twice": (_set(repeat_attribute=True), "chip-form"),
    "no content": (_set(detached=True), "chip-form"),
    "no certificate": (_set(certificates=[]), "chip-signer"),
    "another certificate": (_set(certificates=[AUTHORITY.certificate()]), "chip-signer"),
    "foreign root": (_reissue(FOREIGN), "chip-untrusted"),
    "root's name, another key": (_reissue(NAMESAKE), "chip-untrusted"),
    "signer expired when it signed": (_reissue(end=SIGNED - timedelta(days=1)), "chip-expired"),
    "signer expired since": (_reissue(end=NOW - timedelta(days=1)), "chip-expired"),
    "signer not valid yet": (_reissue(begin=SIGNED + timedelta(days=1)), "chip-expired"),
    "signed in the future": (_set(signed_at=NOW + timedelta(days=1)), "chip-expired"),
    "signer without the right": (_reissue(digital_signature=False), "chip-certificate"),
    "signer is an authority": (_reissue(authority=True), "chip-certificate"),
    "unknown critical extension": (
        _reissue(extra=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),)),
        "chip-certificate",
    ),
    "key used outside its period": (
        _reissue(extra=((x509.PrivateKeyUsagePeriod(SIGNED - timedelta(days=90), SIGNED - timedelta(days=1)), False),)),
        "chip-expired",
    ),
    "trailing byte in the object": (_content(lambda data: data + b"\0"), "chip-form"),
    "truncated object": (_content(lambda data: data[:-1]), "chip-form"),
    "not the object": (_content(lambda _: b"\x04\x00"), "chip-form"),
    "version without information": (_content(_version_1_without_information), "chip-form"),
    "unknown version": (_content(lambda data: data.replace(b"\x02\x01\x00", b"\x02\x01\x02", 1)), "chip-form"),
    "group 17": (_set(groups={1: dg1(td1()), 17: b""}), "chip-form"),
    "weak hash inside": (
        _content(
            lambda data: data.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040204"), 1)
        ),
        "chip-algorithm",
    ),
    "hash of an odd length": (
        _content(
            lambda data: data.replace(bytes.fromhex("608648016503040201"), bytes.fromhex("608648016503040202"), 1)
        ),
        "chip-form",
    ),
    "algorithm that does not fit the key": (
        _set(algorithm=algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})),
        "chip-algorithm",
    ),
    "algorithm with another hash": (
        _set(algorithm=algos.SignedDigestAlgorithm({"algorithm": "sha512_ecdsa"})),
        "chip-algorithm",
    ),
    "SHA-1": (_set(algorithm=algos.SignedDigestAlgorithm({"algorithm": "sha1_ecdsa"})), "chip-algorithm"),
}


@pytest.mark.parametrize(("defect", "expected"), DEFECTS.values(), ids=DEFECTS)
def test_C9_a_planted_defect_is_refused_by_its_code(defect: Defect, expected: str) -> None:
    chip = make_chip(AUTHORITY)
    groups = dict(chip.groups)
    assert check(chip, groups=groups)
    defect(chip)
    assert code(lambda: check(chip, groups={1: groups[1]})) == expected


def test_a_swapped_zone_or_face_is_not_what_was_signed() -> None:
    chip = make_chip(AUTHORITY)
    other = dg1(td1(number="ID7654321"))
    assert code(lambda: check(chip, groups={**chip.groups, 1: other})) == "chip-hash"
    assert code(lambda: check(chip, groups={**chip.groups, 2: dg2(face_record(JPEG + b"!"))})) == "chip-hash"
    assert code(lambda: check(chip, groups={**chip.groups, 2: chip.groups[1]})) == "chip-hash"
    assert code(lambda: check(chip, groups={**chip.groups, 3: b"fingers"})) == "chip-data-group"
    assert code(lambda: check(chip, groups={2: chip.groups[2]})) == "chip-data-group"
    assert code(lambda: check(chip, groups={**chip.groups, 0: b""})) == "chip-data-group"


def test_a_root_of_another_state_does_not_vouch_for_this_one() -> None:
    chip = make_chip(AUTHORITY)
    assert code(lambda: check(chip, CountryRoots({"UTO": [AUTHORITY.certificate()]}))) == "chip-untrusted"
    chip.groups[1] = dg1(TD3)
    assert code(lambda: check(chip)) == "chip-untrusted"
    chip.groups[1] = dg1((TD3[0], TD3[1][:-1] + "1"))
    assert code(lambda: check(chip)) == "mrz-check-digit"


def test_the_root_has_its_own_validity() -> None:
    old = Authority(AUTHORITY.key, end=NOW - timedelta(days=1))
    assert code(lambda: check(make_chip(old), CountryRoots({"KGZ": [old.certificate()]}))) == "chip-expired"
    new = Authority(AUTHORITY.key, begin=SIGNED + timedelta(days=1))
    assert code(lambda: check(make_chip(new), CountryRoots({"KGZ": [new.certificate()]}))) == "chip-expired"


def test_without_a_signing_time_the_certificates_have_to_be_valid_now() -> None:
    chip = make_chip(AUTHORITY)
    chip.signed_at = None
    assert check(chip).signed_at is None
    assert code(lambda: check(chip, now=datetime(2036, 1, 1, tzinfo=UTC))) == "chip-expired"


def test_revocation_lists() -> None:
    chip = make_chip(AUTHORITY, serial=7)
    root = {"KGZ": [AUTHORITY.certificate()]}
    assert check(chip, CountryRoots(root, [AUTHORITY.crl(8)], require_crl=True))
    assert check(chip, CountryRoots(root, [AUTHORITY.crl()]))
    assert code(lambda: check(chip, CountryRoots(root, [AUTHORITY.crl(8, 7)]))) == "chip-revoked"
    assert code(lambda: check(chip, CountryRoots(root, require_crl=True))) == "chip-crl"
    stale = AUTHORITY.crl(begin=NOW - timedelta(days=9), end=NOW - timedelta(days=1))
    assert code(lambda: check(chip, CountryRoots(root, [stale]))) == "chip-crl"
    early = AUTHORITY.crl(begin=NOW + timedelta(days=1), end=NOW + timedelta(days=9))
    assert code(lambda: check(chip, CountryRoots(root, [early]))) == "chip-crl"
    # The newer of two lists counts, in whichever order they come.
    for lists in ([stale, AUTHORITY.crl(7)], [AUTHORITY.crl(7), stale]):
        assert code(lambda lists=lists: check(chip, CountryRoots(root, lists))) == "chip-revoked"  # type: ignore[misc]
    assert code(lambda: CountryRoots(root, [NAMESAKE.crl(7)])) == "chip-crl"
    assert code(lambda: CountryRoots(root, [AUTHORITY.crl(7) + b"\0"])) == "chip-crl"
    silent = Authority(AUTHORITY.key, crl_sign=False)
    assert code(lambda: CountryRoots({"KGZ": [silent.certificate()]}, [silent.crl(7)])) == "chip-crl"


def test_a_configured_root_has_to_be_an_authority() -> None:
    for wrong in (Authority(AUTHORITY.key, authority=False), Authority(AUTHORITY.key, key_cert_sign=False)):
        assert code(lambda wrong=wrong: CountryRoots({"KGZ": [wrong.certificate()]})) == "chip-certificate"  # type: ignore[misc]
    certificate = bytearray(AUTHORITY.certificate())
    certificate[-1] ^= 1
    assert code(lambda: CountryRoots({"KGZ": [bytes(certificate)]})) in ("chip-untrusted", "chip-certificate")
    assert code(lambda: CountryRoots({"KGZ": [AUTHORITY.certificate() + b"\0"]})) == "chip-certificate"
    assert code(lambda: CountryRoots({"KGZ": [b""]})) == "chip-certificate"


@pytest.mark.parametrize("change", [{"b": 7}, {"x": 1}, {"y": 1}])
def test_an_explicit_curve_that_is_no_known_one_lets_nobody_sign(change: dict[str, int]) -> None:
    # CVE-2020-0601: the right point under a generator of one's own.
    chip = make_chip(AUTHORITY)
    chip.signer = explicit(chip.signer, AUTHORITY.key, **change)
    assert code(lambda: check(chip)) == "chip-algorithm"


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP224R1()), rsa.generate_private_key(65537, 1024)], ids=["P-224", "RSA-1024"]
)
def test_weak_keys_are_refused(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    assert code(lambda: check(make_chip(AUTHORITY, key))) == "chip-algorithm"


def test_bytes_around_the_file_are_refused() -> None:
    chip = make_chip(AUTHORITY)
    message = chip.message()
    for sod in (
        chip.sod() + b"\0", tlv(b"\x77", message + b"\0"), tlv(b"\x78", message), chip.sod()[:-1], message, b"",
        b"\x77",
        b"\x77\x80" + message, b"\x77\x84\xff\xff\xff\xff" + message, b"\x77\x81\x05hello",
        b"\x77\x85\x00\x00\x00\x00\x01x", tlv(b"\x77", b"\x30\x80" * 5000), tlv(b"\x77", bytes(70_000)),
        tlv(b"\x77", tlv(b"\x30", b"\x06\x03\x2a\x03\x04")),
    ):  # fmt: skip
        assert code(lambda sod=sod: authenticate_document(sod, chip.groups, ROOTS, NOW)).startswith("chip-")  # type: ignore[misc]
    assert code(lambda: check(chip, groups={1: bytes(1_048_577)})) == "chip-form"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x61\x00", dg1(td1()) + b"\0", tlv(b"\x61", tlv(b"\x5f\x1e", b"x")), dg1(("X" * 89,)),
        tlv(b"\x61", tlv(b"\x5f\x1f", "".join(td1()).encode() + b" ")), tlv(b"\x61", tlv(b"\x5f\x1f", b"\xff" * 90)),
        tlv(b"\x61", tlv(b"\x5f\x1f", b"\n" * 90)),
    ],
)  # fmt: skip
def test_a_signed_but_malformed_zone_is_refused(data: bytes) -> None:
    chip = make_chip(AUTHORITY)
    chip.groups = {1: data}
    assert code(lambda: check(chip)) == "chip-form"


def test_jpeg_2000_in_both_forms() -> None:
    for image in (b"\x00\x00\x00\x0cjP  \r\n\x87\n box", b"\xff\x4f\xff\x51 stream"):
        face = decode_dg2(dg2(face_record(image, kind=1)))
        assert (face.format, face.data) == (ImageFormat.JPEG2000, image)


def test_of_several_faces_the_first_counts() -> None:
    assert decode_dg2(dg2(count=2, templates=2)).data == JPEG
    first = face_record()
    two = first[:8] + (2 * len(first) - 14).to_bytes(4, "big") + b"\0\2" + first[14:] + first[14:]
    assert decode_face_record(two).data == JPEG


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "chip-form"),
        (dg2() + b"\0", "chip-form"),
        (dg2(count=0, templates=0), "chip-face"),
        (dg2(count=2), "chip-form"),
        (dg2(count=1, templates=2), "chip-form"),
        (dg2(b"short"), "chip-face"),
        (dg2(b"FAC\x00020\x00" + face_record()[8:]), "chip-face"),
        (dg2(face_record() + b"\0"), "chip-face"),
        (dg2(face_record(total=99)), "chip-face"),
        (dg2(face_record(face=0)), "chip-face"),
        (dg2(face_record(face=2**32 - 1)), "chip-face"),
        (dg2(face_record(faces=0)), "chip-face"),
        (dg2(face_record(points=0xFFFF)[:1000]), "chip-face"),
        (dg2(face_record(b"GIF89a....")), "chip-face"),
        (dg2(face_record(JPEG, kind=1)), "chip-face"),
        (dg2(face_record(JPEG, kind=2)), "chip-face"),
        (dg2(face_record(b"")), "chip-face"),
        (tlv(b"\x75", bytes(1_048_577)), "chip-form"),
    ],
)
def test_a_malformed_face_is_refused(data: bytes, expected: str) -> None:
    assert code(lambda: decode_dg2(data)) == expected


FUZZED = make_chip(AUTHORITY)
FUZZED_SOD = FUZZED.sod()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FUZZED_SOD) - 1), st.integers(1, 255))
def test_no_flipped_byte_of_a_signed_document_passes_or_raises_anything_else(at: int, flip: int) -> None:
    sod = bytearray(FUZZED_SOD)
    sod[at] ^= flip
    try:
        document = authenticate_document(bytes(sod), FUZZED.groups, ROOTS, NOW)
    except DocumentRefused:
        return
    # What no signature covers (a version number, a set of algorithms, unsigned certificates) may differ; the content
    # may not.
    assert document.mrz.pin == PIN


def test_roots_are_read_from_a_directory_per_state(tmp_path: Path) -> None:
    (tmp_path / "KGZ").mkdir()
    (tmp_path / "KGZ/csca.der").write_bytes(AUTHORITY.certificate())
    (tmp_path / "KGZ/list.crl").write_bytes(AUTHORITY.crl(9))
    (tmp_path / "KGZ/README").write_text("left alone")
    (tmp_path / "UTO").mkdir()
    pem = x509.load_der_x509_certificate(FOREIGN.certificate())
    (tmp_path / "UTO/csca.pem").write_bytes(pem.public_bytes(Encoding.PEM) * 2)
    roots = read_country_roots(tmp_path, require_crl=True)
    assert roots.states() == ("KGZ", "UTO")
    assert check(make_chip(AUTHORITY), roots)
    (tmp_path / "KGZ/bad.cer").write_bytes(b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n")
    assert code(lambda: read_country_roots(tmp_path)) == "chip-certificate"


def test_a_signature_by_another_key_of_the_same_signer_name_is_refused() -> None:
    chip = make_chip(AUTHORITY)
    own = chip.signer_key
    chip.signer_key = ec.generate_private_key(ec.SECP256R1())
    assert code(lambda: check(chip)) == "chip-signature"
    assert sign(own, b"x", "sha256", pss=False)
