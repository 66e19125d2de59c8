"""The manifest of the demonstration election; see ``kyrgyz2021`` for what is real and what is synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from evoting.definition import (
    BallotStyle,
    Candidate,
    Contest,
    HomomorphicContest,
    Limits,
    Manifest,
    OpenListContest,
    Option,
    Party,
    Region,
    ReportingUnit,
    Role,
    RoleKind,
    Titles,
    UnitMinimum,
)
from evoting.definition.rules import AreaThreshold, ListSeatsRule, Quota, ReferendumRule, Share
from evoting.definition.validate import validate

from .apportion import Draw, apportion
from .kyrgyz2021_names import ABROAD, PARTIES, REGIONS

#: Candidates on every list, and seats of the parliament's list contest in 2021.
CANDIDATES = 54
SEATS = 54
#: Registered voters abroad against the sizes in REGIONS; synthetic.
ABROAD_SIZE = 16
SEED = "kyrgyz-2021-demo-v1"
LANGUAGES = ("ky", "ru", "en")


@dataclass(frozen=True)
class DemoOptions:
    """What a caller may choose. Times are Unix seconds; the defaults of the counts are those of ``make demo``."""

    opens: int
    closes: int
    epoch: int = 600
    homomorphic_minimum: int = 30
    mixed_minimum: int = 40
    trustees: tuple[int, int] = (5, 3)
    issuers: tuple[int, int] = (4, 3)
    mixers: int = 3
    witnesses: tuple[int, int] = (4, 3)
    terminals: int = 0
    voting_origin: str | None = "http://vote.localhost:8443"
    identity_origin: str | None = "http://id.localhost:8443"


_ROLE_TITLES: dict[RoleKind, tuple[str, str, str]] = {
    "officer": ("Шайлоо кызматкери", "Сотрудник комиссии", "Election officer"),
    "ballot-box": ("Шайлоо кутусу", "Урна для голосования", "Ballot box"),
    "identity-provider": ("Идентификация кызматы", "Служба идентификации", "Identity provider"),
    "registrar": ("Каттоочу", "Регистратор", "Registrar"),
    "trustee": ("Ачкыч сактоочу", "Хранитель ключа", "Trustee"),
    "issuer": ("Укук берүүчү", "Эмитент", "Credential issuer"),
    "mixer": ("Аралаштыргыч", "Перемешиватель", "Mixer"),
    "witness": ("Журналдын күбөсү", "Свидетель журнала", "Log witness"),
    "terminal": ("Терминал", "Терминал", "Terminal"),
}


def role_plan(options: DemoOptions) -> tuple[tuple[str, RoleKind, int], ...]:
    """(role id, kind, index) of every role that needs a key, in the manifest's order."""
    counts: dict[RoleKind, int] = {
        "officer": 2,
        "ballot-box": 1,
        "identity-provider": 1,
        "registrar": 1,
        "trustee": options.trustees[0],
        "issuer": options.issuers[0],
        "mixer": options.mixers,
        "witness": options.witnesses[0],
        "terminal": options.terminals,
    }
    single = {"ballot-box", "identity-provider", "registrar"}
    return tuple(
        (kind if kind in single else f"{kind}-{index}", kind, index)
        for kind, count in counts.items()
        for index in range(1, count + 1)
    )


def build_manifest(
    roll: Sequence[int], ballots: int, contests: Sequence[str], keys: Mapping[str, bytes], options: DemoOptions
) -> Manifest:
    """The manifest for a roll (by region) and a selection of the two contests.

    Raises:
        DefinitionError: a ballot style is below its unit minimum.
        ValueError: keys that do not match the role plan.
    """
    plan = role_plan(options)
    if set(keys) != {role_id for role_id, _, _ in plan}:
        raise ValueError("keys do not match the role plan")
    units = _units(roll)
    styles = tuple(
        BallotStyle(
            id=region,
            title=_titles(*REGIONS[region][1:4]),
            units=tuple(unit.id for unit in units if unit.region == region or (region, unit.region) == _MERGED),
            contests=tuple(contests),
            roll=count,
        )
        for region, count in zip(REGIONS, roll, strict=True)
    )
    made: dict[str, Contest] = {"referendum": _referendum(), "parliament": _parliament()}
    manifest = Manifest(
        id="kyrgyz-2021-demo",
        title=_titles("Моделдик добуш берүү 2021", "Тестовое голосование 2021", "Model voting 2021"),
        note=_titles(
            "МОДЕЛЬ. Аймактар боюнча бөлүштүрүү, талапкерлер жана преференциялар синтетикалык.",
            "МОДЕЛЬ. Распределение по территориям, кандидаты и преференции синтетические.",
            "MODEL. The spread over reporting units, precincts abroad, candidates and preferences are synthetic.",
        ),
        model=True,
        languages=LANGUAGES,
        opens=options.opens,
        closes=options.closes,
        epoch=options.epoch,
        enrolment_age=0,
        voting_origin=options.voting_origin,
        identity_origin=options.identity_origin,
        unit_minimum=UnitMinimum(options.homomorphic_minimum, options.mixed_minimum),
        limits=Limits(
            entry_bytes=65_535,
            blob_bytes=1 << 30,
            ballots=max(1000, 4 * ballots),
            contests=8,
            options=64,
            codes=4096,
            challenges=3,
        ),
        trustees=options.trustees[0],
        trustee_threshold=options.trustees[1],
        issuers=options.issuers[0],
        issuer_threshold=options.issuers[1],
        mixers=options.mixers,
        witnesses=options.witnesses[0],
        witness_quorum=options.witnesses[1],
        roles=tuple(
            Role(role_id, kind, index, keys[role_id], _numbered(_ROLE_TITLES[kind], index))
            for role_id, kind, index in plan
        ),
        regions=(
            *(Region(region, values[0], _titles(*values[1:4])) for region, values in REGIONS.items()),
            Region("abroad", "abroad", _titles("Чет өлкөлөр", "За рубежом", "Abroad")),
        ),
        units=units,
        styles=styles,
        contests=tuple(made[contest] for contest in contests),
    )
    validate(manifest)
    return manifest


#: Voters abroad get the capital's ballot style: too few to be counted on their own.
_MERGED = ("bishkek", "abroad")


def _titles(ky: str, ru: str, en: str) -> Titles:
    return Titles.of({"ky": ky, "ru": ru, "en": en})


def _numbered(texts: tuple[str, str, str], number: int) -> Titles:
    return _titles(*(f"{text} {number}" for text in texts))


def _units(roll: Sequence[int]) -> tuple[ReportingUnit, ...]:
    """One unit per region, and 100 synthetic precincts abroad whose voters are part of Bishkek's roll."""
    draw = Draw(SEED)
    precincts = [(code, number) for code, values in ABROAD.items() for number in range(1, values[3] + 1)]
    by_region = dict(zip(REGIONS, roll, strict=True))
    home, away = apportion(by_region["bishkek"], (REGIONS["bishkek"][5] - ABROAD_SIZE, ABROAD_SIZE))
    by_region["bishkek"] = home
    sizes = apportion(away, [draw.number(f"abroad|{code}|{number}", 50, 150) for code, number in precincts])
    units = [
        ReportingUnit(region, "region", _titles(*values[1:4]), region, values[4], by_region[region])
        for region, values in REGIONS.items()
    ]
    for (code, number), size in zip(precincts, sizes, strict=True):
        country = ABROAD[code]
        texts = (
            f"{country[0]}, {number}-участок (синтетикалык)",
            f"{country[1]}, участок {number} (синтетический)",
            f"{country[2]}, precinct {number} (synthetic)",
        )
        units.append(ReportingUnit(f"abroad-{code}-{number}", "abroad", _titles(*texts), "abroad", None, size))
    return tuple(units)


def _referendum() -> HomomorphicContest:
    against_all = Option("against-all", "against-all", None, _titles("Баарына каршы", "Против всех", "Against all"))
    return HomomorphicContest(
        id="referendum",
        title=_titles(
            "Башкаруу формасы боюнча референдум", "Референдум о форме правления", "Referendum on the form of government"
        ),
        options=(
            Option(
                "presidential",
                "answer",
                None,
                _titles("Президенттик республика", "Президентская республика", "Presidential republic"),
            ),
            Option(
                "parliamentary",
                "answer",
                None,
                _titles("Парламенттик республика", "Парламентская республика", "Parliamentary republic"),
            ),
            against_all,
        ),
        min=0,
        max=1,
        rule=ReferendumRule(
            turnout=Share(Fraction(3, 10), "registered", strict=True),
            adoption=Share(Fraction(1, 2), "participants", strict=True),
            against_all="repeat",
        ),
    )


def _parliament() -> OpenListContest:
    return OpenListContest(
        id="parliament",
        title=_titles(
            "Жогорку Кеңештин депутаттары (ачык тизме)",
            "Депутаты Жогорку Кенеша (открытый список)",
            "Deputies of the Jogorku Kenesh (open list)",
        ),
        parties=tuple(
            Party(party_id, _titles(ky, ru, en), _candidates(party_id)) for en, (party_id, ky, ru) in PARTIES.items()
        ),
        against_all=_titles("Баарына каршы", "Против всех", "Against all"),
        rule=ListSeatsRule(
            seats=SEATS,
            method="hare",
            national=Share(Fraction(1, 20), "participants", strict=False),
            area=AreaThreshold(Share(Fraction(1, 200), "participants", strict=False), tuple(REGIONS)),
            cap=27,
            women=Quota(Fraction(3, 10), "up"),
            against_all="repeat",
        ),
    )


def _candidates(party_id: str) -> tuple[Candidate, ...]:
    draw = Draw(SEED)
    return tuple(
        Candidate(
            id=str(place),
            sex="f" if draw.number(f"sex|{party_id}|{place}", 1, 100) <= 32 else "m",
            title=_titles(
                f"Талапкер {place} (синтетикалык)",
                f"Кандидат {place} (синтетический)",
                f"Candidate {place} (synthetic)",
            ),
        )
        for place in range(1, CANDIDATES + 1)
    )
