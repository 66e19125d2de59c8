"""Files of a chip: security object, DG1 and DG2 (ICAO Doc 9303 part 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from asn1crypto import algos, core

from biometric_idp.documents.der import decode_der, read_only_tlv, read_tlv, refusing
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.keys import HASHES
from biometric_idp.documents.mrz import Mrz, parse_mrz

#: id-icao-mrtd-security-ldsSecurityObject
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
MAX_SOD_BYTES = 65_536
MAX_DATA_GROUP_BYTES = 1_048_576
DATA_GROUPS = range(1, 17)
_MAX_SIDE = 10_000


class _DataGroupHash(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [("number", core.Integer), ("value", core.OctetString)]


class _DataGroupHashes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _DataGroupHash


class _LdsVersionInfo(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [("lds_version", core.PrintableString), ("unicode_version", core.PrintableString)]


class _LdsSecurityObject(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar = [
        ("version", core.Integer),
        ("hash_algorithm", algos.DigestAlgorithm),
        ("hashes", _DataGroupHashes),
        ("version_info", _LdsVersionInfo, {"optional": True}),
    ]


@dataclass(frozen=True)
class SecurityObject:
    """The hashes of a chip's data groups by number."""

    algorithm: str
    hashes: dict[int, bytes] = field(repr=False)


class ImageFormat(StrEnum):
    JPEG = "image/jpeg"
    JPEG2000 = "image/jp2"


@dataclass(frozen=True)
class FaceImage:
    """A face image as it stands in DG2; width and height are what the record states, 0 where it states nothing."""

    format: ImageFormat
    width: int
    height: int
    data: bytes = field(repr=False)


def decode_security_object(content: bytes) -> SecurityObject:
    """The content of a security object.

    Raises:
        DocumentRefused: ``chip-form`` or ``chip-algorithm``.
    """
    what = "the LDS security object"
    parsed = decode_der(_LdsSecurityObject, content, MAX_SOD_BYTES, "chip-form", what)
    with refusing("chip-form", what):
        version = parsed["version"].native
        # Version 1 came with the version information and has it always (part 10 section 4.6.2.3).
        if version not in (0, 1) or (version == 1) != (parsed["version_info"].native is not None):
            raise DocumentRefused("chip-form", f"{what} is of no known version")
        algorithm = parsed["hash_algorithm"]["algorithm"].native
        if algorithm not in HASHES:
            raise DocumentRefused("chip-algorithm", f"the hash of {what} is not accepted")
        hashes: dict[int, bytes] = {}
        for item in parsed["hashes"]:
            number, value = item["number"].native, item["value"].native
            if number in hashes or number not in DATA_GROUPS or len(value) != HASHES[algorithm].digest_size:
                raise DocumentRefused("chip-form", f"{what} has a group twice, an unknown one, or a hash of odd length")
            hashes[number] = value
    return SecurityObject(algorithm, hashes)


def decode_dg1(data: bytes) -> Mrz:
    """The machine-readable zone in DG1.

    Raises:
        DocumentRefused: ``chip-form``, or what ``parse_mrz`` says.
    """
    inner = read_only_tlv(data, b"\x61", "chip-form", "DG1")
    text = read_only_tlv(inner, b"\x5f\x1f", "chip-form", "the zone in DG1")
    if len(text) not in (72, 88, 90) or not text.isascii() or not text.decode("ascii").isprintable():
        raise DocumentRefused("chip-form", "the zone in DG1 has no length of a zone, or odd characters")
    return parse_mrz(text.decode("ascii"))


def decode_dg2(data: bytes) -> FaceImage:
    """The first face image in DG2: a biometric information group template with ISO/IEC 19794-5:2005 records.

    Raises:
        DocumentRefused: ``chip-form`` or ``chip-face``.
    """
    if len(data) > MAX_DATA_GROUP_BYTES:
        raise DocumentRefused("chip-form", "DG2 is too long")
    group = read_only_tlv(read_only_tlv(data, b"\x75", "chip-form", "DG2"), b"\x7f\x61", "chip-form", "group in DG2")
    count, at = read_tlv(group, 0, b"\x02", "chip-form", "count in DG2")
    if len(count) != 1 or not 1 <= count[0] <= 9:
        raise DocumentRefused("chip-face", "DG2 holds no face, or too many")
    faces = []
    for _ in range(count[0]):
        template, at = read_tlv(group, at, b"\x7f\x60", "chip-form", "template in DG2")
        faces.append(template)
    if at != len(group):
        raise DocumentRefused("chip-form", "DG2 has bytes behind its templates")
    _, at = read_tlv(faces[0], 0, b"\xa1", "chip-form", "biometric header in DG2")
    # 5F2E is the plain block; 7F2E is a block in BER, which no profile of a passport uses.
    block, at = read_tlv(faces[0], at, b"\x5f\x2e", "chip-face", "biometric block in DG2")
    if at != len(faces[0]):
        raise DocumentRefused("chip-form", "DG2 has bytes behind its biometric block")
    return decode_face_record(block)


def decode_face_record(block: bytes) -> FaceImage:
    """The first image of an ISO/IEC 19794-5:2005 facial record (clause 5); every length has to add up.

    Raises:
        DocumentRefused: ``chip-face``.
    """

    def number(start: int, size: int) -> int:
        return int.from_bytes(block[start : start + size], "big")

    if len(block) < 46 or block[:8] != b"FAC\x00010\x00":
        raise DocumentRefused("chip-face", "DG2 holds no facial record of ISO/IEC 19794-5:2005")
    if number(8, 4) != len(block) or number(12, 2) < 1:
        raise DocumentRefused("chip-face", "the facial record's length is not its own, or it is empty")
    length, points = number(14, 4), number(18, 2)
    start = 14 + 20 + 8 * points
    end = 14 + length
    # With one image, it ends where the record ends.
    if start + 12 >= end or end > len(block) or (number(12, 2) == 1 and end != len(block)):
        raise DocumentRefused("chip-face", "the lengths in the facial record do not add up")
    kind, width, height = block[start + 1], number(start + 2, 2), number(start + 4, 2)
    image = block[start + 12 : end]
    if width > _MAX_SIDE or height > _MAX_SIDE:
        raise DocumentRefused("chip-face", "the face image is too large")
    if kind == 0 and image.startswith(b"\xff\xd8\xff"):
        return FaceImage(ImageFormat.JPEG, width, height, image)
    if kind == 1 and image.startswith((b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return FaceImage(ImageFormat.JPEG2000, width, height, image)
    raise DocumentRefused("chip-face", "the face image is neither JPEG nor JPEG 2000, or not what the record states")
