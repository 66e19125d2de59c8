"""What a challenged ballot encrypts, in words; docs/spec/06-ballots.md section 6.6.

The file carries manifest, election key and challenge entry. Whether manifest and key are those of the real election can
only be told by comparing the fingerprint shown here, and the tracking code, with what the voting device shows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.errors import DecodeError
from crypto.group import Group, PairingGroup
from verifier.equations.ballots import element_encodings, scalar_encodings, signature_part
from verifier.equations.challenges import verify_openings
from verifier.equations.combination import Combination
from verifier.equations.interface import BallotBatch, ContestOpening, ContestShape, Election, Randomness, StyleShape
from verifier.equations.parameters import code_elements
from verifier.equations.statements import contest_parts
from verifier.hashing import sha
from verifier.record import schema
from verifier.record.ballots import decode_ballot, decode_opening
from verifier.record.entries import split_voter_entry
from verifier.record.errors import FormatError
from verifier.record.manifest import Manifest, codes_of, decode_manifest
from verifier.record.manifest_rules import violations
from verifier.report.text import printable
from verifier.stream.rows import Located, read_rows

_FILE = schema.record(
    {
        "format": schema.one_of("evoting-challenged-ballot/v1"),
        "manifest": schema.octets(),
        "key": schema.octets(32),
        "entry": schema.octets(),
    }
)
_OUTER = schema.record({"election": schema.octets(32), "style": schema.identifier})
_NO_CODE = 2**32 - 1

#: Sentences by language; Kyrgyz first, as everywhere.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "ky": {
        "election": "Шайлоо",
        "model": "ҮЛГҮ ШАЙЛОО: бул чыныгы добуш берүү эмес",
        "fingerprint": "Шайлоонун манжа изи",
        "tracking": "Көзөмөл коду",
        "encrypts": "Бул бюллетень төмөнкүнү шифрлейт",
        "nothing": "эч нерсе тандалган эмес",
        "blank": "бош добуш",
        "against": "баарына каршы",
        "rank": "орун",
        "invalid": "кандидаттардын бири да эмес (жараксыз)",
        "holds": "Текшерүү өттү: бюллетень дал ушуну шифрлейт. Текшерилген бюллетень эсептелбейт.",
        "fails": "ТЕКШЕРҮҮ ӨТКӨН ЖОК",
    },
    "ru": {
        "election": "Выборы",
        "model": "МОДЕЛЬНОЕ ГОЛОСОВАНИЕ: это не настоящие выборы",
        "fingerprint": "Отпечаток выборов",
        "tracking": "Код отслеживания",
        "encrypts": "В этом бюллетене зашифровано",
        "nothing": "ничего не выбрано",
        "blank": "пустой бюллетень",
        "against": "против всех",
        "rank": "место",
        "invalid": "ни один из кандидатов (недействительно)",
        "holds": "Проверка пройдена: бюллетень шифрует именно это. Проверенный бюллетень не засчитывается.",
        "fails": "ПРОВЕРКА НЕ ПРОЙДЕНА",
    },
    "en": {
        "election": "Election",
        "model": "MODEL ELECTION: this is not a real vote",
        "fingerprint": "Election fingerprint",
        "tracking": "Tracking code",
        "encrypts": "This ballot encrypts",
        "nothing": "nothing selected",
        "blank": "a blank vote",
        "against": "against all",
        "rank": "rank",
        "invalid": "none of the candidates (invalid)",
        "holds": "Checked: the ballot encrypts exactly this. A challenged ballot never counts.",
        "fails": "THE CHECK FAILED",
    },
}
LANGUAGES = tuple(_WORDS)


@dataclass(frozen=True)
class Description:
    """What to print, and whether all that can be checked holds."""

    lines: tuple[str, ...]
    holds: bool


def describe_challenge(
    data: bytes, language: str, group: Group, pairing: PairingGroup, randomness: Randomness
) -> Description:
    """Check a challenged ballot and describe it.

    Signature, proofs and opening are checked. The credential is not: its key is not in the file.

    Raises:
        FormatError: not a challenged ballot.
    """
    content = schema.decode_as(data, _FILE, "file")
    manifest = decode_manifest(content["manifest"])
    wrong = violations(manifest)
    if wrong:
        raise FormatError(f"manifest: {wrong[0]}")
    entry = split_voter_entry(content["entry"])
    if entry is None or entry.opening is None:
        raise FormatError("the entry is not a challenge")
    fingerprint, style_id = _election_and_style(entry.body)
    if style_id not in manifest.styles:
        raise FormatError(f"the manifest has no ballot style {style_id}")
    style = _style(manifest, style_id, group)
    body = decode_ballot(entry.body, fingerprint, {style_id: style})
    opening = decode_opening(entry.opening, body.style)
    sets, _ = read_rows([Located(content["entry"], 0, 0, 0)], fingerprint, {style_id: style})
    try:
        group.elements_decode(content["key"], allow_identity=False)
    except DecodeError as error:
        raise FormatError(f"key: {error}") from None
    election = Election(fingerprint, manifest.hash, content["key"])
    defect = _defect(sets[0].batch, opening, election, group, randomness)

    words, raw = _WORDS[language], manifest.raw
    spoken = language if language in raw["languages"] else raw["languages"][0]
    lines = [f"{words['election']}: {raw['title'][spoken]}"]
    lines += [words["model"]] if manifest.is_model else []
    lines += [f"{words['fingerprint']}: {fingerprint.hex()}", f"{words['tracking']}: {tracking_code(entry.body)}", ""]
    lines += [f"{words['encrypts']}:"]
    for contest, opened in zip(manifest.contests_of(style_id), opening, strict=True):
        lines.append(f"  {contest['title'][spoken]}")
        lines += [f"    - {choice}" for choice in _choices(contest, opened, spoken, words)]
    lines += ["", words["holds"] if defect is None else f"{words['fails']}: {defect}"]
    return Description(tuple(map(printable, lines)), defect is None)


def tracking_code(body: bytes) -> str:
    """160 bits in base32, in groups of four; then all 32 bytes, which is what a second device compares (6.1)."""
    digest = sha("evoting/v1/tracking", body)
    short = base64.b32encode(digest[:20]).decode().lower().rstrip("=")
    return f"{'-'.join(short[at : at + 4] for at in range(0, len(short), 4))} ({digest.hex()})"


def _election_and_style(body: bytes) -> tuple[bytes, str]:
    """Election and style that a ballot names; the rest of it is decoded once the style is known."""
    value = schema.decode_as(body, lambda item, path: item, "ballot")
    if not isinstance(value, dict):
        raise FormatError("ballot: a map is expected")
    named = _OUTER({name: value[name] for name in ("election", "style") if name in value}, "ballot")
    return named["election"], named["style"]


def _style(manifest: Manifest, style: str, group: Group) -> StyleShape:
    def shape(position: int, contest: Mapping[str, Any]) -> ContestShape:
        if contest["kind"] == "mixed":
            book = code_elements(group, manifest.hash, contest["id"], codes_of(contest))
            return ContestShape(contest["id"], "mixed", position, width=contest["width"], code_book=book)
        options = len(contest["options"])
        return ContestShape(contest["id"], "homomorphic", position, options, contest["min"], contest["max"])

    return StyleShape(style, tuple(shape(*item) for item in enumerate(manifest.contests_of(style))), bytes(96))


def _defect(
    batch: BallotBatch,
    opening: Sequence[ContestOpening],
    election: Election,
    group: Group,
    randomness: Randomness,
) -> str | None:
    """The first thing that does not hold."""
    encoding = scalar_encodings(batch, group) or element_encodings(batch, group)
    if encoding is not None:
        return encoding
    try:
        parts = [signature_part(batch, group), *contest_parts(batch, election, group)]
    except DecodeError as error:
        return str(error)
    for part in parts:
        for name, equation in part.equations:
            combination = Combination(group, randomness)
            part.declare(combination)
            equation(combination)
            if not combination.vanishes():
                return name
    failures = verify_openings(batch, [opening], election, group, randomness)
    return failures[0].sentence if failures else None


def _choices(
    contest: Mapping[str, Any], opened: ContestOpening, language: str, words: Mapping[str, str]
) -> Iterator[str]:
    """What was chosen in a contest."""
    if contest["kind"] == "homomorphic":
        chosen = [
            option["title"][language] + (f" × {value}" if value != 1 else "")
            for option, value in zip(contest["options"], opened.selections, strict=True)
            if value
        ]
        yield from chosen or [words["nothing"]]
        return
    codes = codes_of(contest)
    for rank, index in enumerate(opened.selections, 1):
        prefix = f"{words['rank']} {rank}: " if contest["width"] > 1 else ""
        yield prefix + (_code_title(contest, codes[index], language, words) if index < len(codes) else words["invalid"])


def _code_title(contest: Mapping[str, Any], code: str, language: str, words: Mapping[str, str]) -> str:
    if code in ("blank", "none"):
        return words["blank"] if code == "blank" else words["nothing"]
    if code == "against-all":
        return str(contest["against-all"][language]) if contest["against-all"] else words["against"]
    if contest["ballot"] == "ranked":
        return str(next(item["title"][language] for item in contest["candidates"] if item["id"] == code))
    name, _, candidate_id = code.partition("/")
    party = next(item for item in contest["parties"] if item["id"] == name)
    if not candidate_id:
        return str(party["title"][language])
    candidate = next(item for item in party["candidates"] if item["id"] == candidate_id)
    return f"{party['title'][language]}, {candidate['title'][language]}"
