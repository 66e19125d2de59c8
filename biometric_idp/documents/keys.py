"""Public keys and signatures of the document world: RSA PKCS #1 v1.5 and PSS, ECDSA over named or explicit curves.

Which of them states use is in ICAO Doc 9303 part 12 section 4.4. SHA-1 and SHA-224, RSA below 2,048 bits and curves
below 256 bits are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from biometric_idp.documents.der import refusing
from biometric_idp.documents.errors import DocumentRefused

CODE = "chip-algorithm"
HASHES: dict[str, type[SHA256] | type[SHA384] | type[SHA512]] = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}
_CURVES: dict[str, ec.EllipticCurve] = {
    "secp256r1": ec.SECP256R1(),
    "secp384r1": ec.SECP384R1(),
    "secp521r1": ec.SECP521R1(),
    "brainpoolp256r1": ec.BrainpoolP256R1(),
    "brainpoolp384r1": ec.BrainpoolP384R1(),
    "brainpoolp512r1": ec.BrainpoolP512R1(),
}
# Beyond 8,192 bits a signature costs more than it can be worth.
_RSA_BITS = range(2048, 8193)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class Domain:
    """A curve y^2 = x^3 + ax + b over GF(p) with its generator."""

    p: int
    a: int
    b: int
    x: int
    y: int
    order: int


@lru_cache(maxsize=16)
def domain_of(name: str) -> Domain:
    """Domain parameters of a supported curve, worked out of points that the library computes, so that none is typed
    in here: G and -G give p, G and 2G give a and b.
    """
    curve = _CURVES[name]
    order = curve.group_order
    one, two, last = (
        ec.derive_private_key(scalar, curve).public_key().public_numbers() for scalar in (1, 2, order - 1)
    )
    p = one.y + last.y
    first, second = (point.y**2 - point.x**3 for point in (one, two))
    a = (second - first) * pow(two.x - one.x, -1, p) % p
    return Domain(p, a, (first - a * one.x) % p, one.x, one.y, order)


def decode_public_key(info: Any, what: str) -> PublicKey:
    """A key out of an asn1crypto ``PublicKeyInfo``.

    Raises:
        DocumentRefused: ``chip-algorithm``: a kind, size or curve that is not accepted, or no point of its curve.
    """
    with refusing(CODE, f"the key of {what}"):
        kind = info["algorithm"]["algorithm"].native
        if kind in ("rsa", "rsassa_pss"):
            numbers = info["public_key"].parsed
            modulus, exponent = numbers["modulus"].native, numbers["public_exponent"].native
            if modulus.bit_length() not in _RSA_BITS or exponent.bit_length() > 64:
                raise DocumentRefused(CODE, f"the RSA key of {what} has {modulus.bit_length()} bits")
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        if kind == "ec":
            name = _curve_name(info["algorithm"]["parameters"], what)
            return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[name], bytes(info["public_key"]))
    raise DocumentRefused(CODE, f"the key of {what} is of no accepted kind")


def _curve_name(parameters: Any, what: str) -> str:
    if parameters.name == "named":
        name = str(parameters.chosen.native)
        if name not in _CURVES:
            raise DocumentRefused(CODE, f"the curve of {what} is not accepted")
        return name
    if parameters.name == "specified":
        # Every number is compared: a curve that differs in its generator only lets anybody sign (CVE-2020-0601).
        given = parameters.chosen
        field = given["field_id"]
        if field["field_type"].native == "prime_field" and given["cofactor"].native in (None, 1):
            p = field["parameters"].native
            base = bytes(given["base"])
            size = (p.bit_length() + 7) // 8
            for name in _CURVES:
                domain = domain_of(name)
                x = domain.x.to_bytes((domain.p.bit_length() + 7) // 8, "big")
                y = domain.y.to_bytes(len(x), "big")
                numbers = (
                    p,
                    int.from_bytes(bytes(given["curve"]["a"]), "big"),
                    int.from_bytes(bytes(given["curve"]["b"]), "big"),
                    given["order"].native,
                )
                bases = (b"\x04" + x + y, bytes([2 + domain.y % 2]) + x)
                if numbers == (domain.p, domain.a, domain.b, domain.order) and base in bases and len(x) == size:
                    return name
    raise DocumentRefused(CODE, f"the explicit curve of {what} is none of those accepted")


def hash_named(name: str, what: str) -> HashAlgorithm:
    """Raises ``DocumentRefused`` where the hash is not accepted."""
    if name not in HASHES:
        raise DocumentRefused(CODE, f"the hash of {what} is not accepted")
    return HASHES[name]()


def verify_signature(
    key: PublicKey, algorithm: Any, signature: bytes, message: bytes, digest: str | None, code: str, what: str
) -> None:
    """Check a signature under the key, the algorithm being an asn1crypto ``SignedDigestAlgorithm``.

    Args:
        digest: the hash that the signer names beside the algorithm (CMS); both must agree. None in certificates.
        code: of the refusal where the signature does not hold.

    Raises:
        DocumentRefused: ``chip-algorithm``, or ``code``.
    """
    with refusing(CODE, f"the signature algorithm of {what}"):
        scheme = algorithm.signature_algo
        named = digest if algorithm["algorithm"].native in ("rsassa_pkcs1v15", "ecdsa") else algorithm.hash_algo
        pss: padding.PSS | None = None
        if scheme == "rsassa_pss":
            parameters = algorithm["parameters"]
            mask = parameters["mask_gen_algorithm"]
            salt = parameters["salt_length"].native
            if mask["algorithm"].native != "mgf1" or parameters["trailer_field"].native not in (1, "trailer_field_bc"):
                raise DocumentRefused(CODE, f"the PSS parameters of {what} are not accepted")
            if not 20 <= salt <= 64:
                raise DocumentRefused(CODE, f"the salt of {what} has {salt} bytes")
            pss = padding.PSS(padding.MGF1(hash_named(mask["parameters"]["algorithm"].native, what)), salt)
    if named is None or (digest is not None and named != digest):
        raise DocumentRefused(CODE, f"{what} names two different hashes, or none")
    hashed = hash_named(named, what)
    try:
        if isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pss" and pss is not None:
            key.verify(signature, message, pss, hashed)
        elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsassa_pkcs1v15":
            key.verify(signature, message, padding.PKCS1v15(), hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
            key.verify(signature, message, ec.ECDSA(hashed))
        else:
            raise DocumentRefused(CODE, f"the signature algorithm of {what} does not fit its key")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise DocumentRefused(code, f"the signature of {what} does not hold") from None
