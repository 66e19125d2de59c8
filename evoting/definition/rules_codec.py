"""Rules to and from their tree; docs/spec/03-manifest.md section 3.6."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from .reader import MapReader, require_fraction, require_id, require_int
from .rules import (
    BASES,
    AgainstAll,
    AreaThreshold,
    Base,
    CouncilRule,
    Gender,
    ListSeatsRule,
    MajorityRule,
    Method,
    Quota,
    ReferendumRule,
    Rounding,
    Rule,
    RunoffRule,
    Share,
    TopKRule,
)

KINDS = tuple(rule.kind for rule in (ReferendumRule, MajorityRule, TopKRule, CouncilRule, ListSeatsRule, RunoffRule))


def fraction_tree(fraction: Fraction) -> object:
    return [fraction.numerator, fraction.denominator]


def share_tree(share: Share) -> dict[str, object]:
    return {"fraction": fraction_tree(share.fraction), "of": share.of, "strict": share.strict}


def quota_tree(quota: Quota) -> dict[str, object]:
    return {"fraction": fraction_tree(quota.fraction), "rounding": quota.rounding}


def rule_tree(rule: Rule) -> dict[str, object]:
    """The tree of a rule."""
    tree: dict[str, object] = {"kind": rule.kind, "against-all": rule.against_all}
    match rule:
        case ReferendumRule():
            tree |= {"turnout": share_tree(rule.turnout), "adoption": share_tree(rule.adoption)}
        case MajorityRule():
            tree |= {"majority": share_tree(rule.majority), "advance": rule.advance}
        case TopKRule():
            tree |= {"seats": rule.seats, "gender": rule.gender}
        case CouncilRule():
            tree |= {"seats": rule.seats, "women": quota_tree(rule.women)}
        case ListSeatsRule():
            area = None
            if rule.area is not None:
                area = {"share": share_tree(rule.area.share), "regions": list(rule.area.regions)}
            tree |= {
                "seats": rule.seats,
                "method": rule.method,
                "national": share_tree(rule.national),
                "area": area,
                "cap": rule.cap,
                "women": None if rule.women is None else quota_tree(rule.women),
            }
        case RunoffRule():
            pass
    return tree


def read_share(value: object, path: str) -> Share:
    reader = MapReader(value, path)
    share = Share(
        fraction=require_fraction(reader.take("fraction"), reader.at("fraction")),
        of=cast(Base, reader.word("of", BASES)),
        strict=reader.boolean("strict"),
    )
    reader.close()
    return share


def read_quota(value: object, path: str) -> Quota:
    reader = MapReader(value, path)
    quota = Quota(
        fraction=require_fraction(reader.take("fraction"), reader.at("fraction")),
        rounding=cast(Rounding, reader.word("rounding", ("up", "down"))),
    )
    reader.close()
    return quota


def read_area(value: object, path: str) -> AreaThreshold:
    reader = MapReader(value, path)
    area = AreaThreshold(
        share=read_share(reader.take("share"), reader.at("share")), regions=reader.list("regions", require_id, low=1)
    )
    reader.close()
    return area


def read_rule(value: object, path: str) -> Rule:
    """The rule of a tree.

    Raises:
        DefinitionError: names the field.
    """
    reader = MapReader(value, path)
    kind = reader.word("kind", KINDS)
    against_all = cast(AgainstAll, reader.word("against-all", ("repeat", "ignore")))
    rule: Rule
    if kind == ReferendumRule.kind:
        turnout = read_share(reader.take("turnout"), reader.at("turnout"))
        adoption = read_share(reader.take("adoption"), reader.at("adoption"))
        rule = ReferendumRule(turnout, adoption, against_all)
    elif kind == MajorityRule.kind:
        majority = read_share(reader.take("majority"), reader.at("majority"))
        rule = MajorityRule(majority, reader.uint("advance", 2, 16), against_all)
    elif kind == TopKRule.kind:
        gender = cast(Gender, reader.word("gender", ("none", "other-sex-last")))
        rule = TopKRule(reader.uint("seats", 1, 1000), gender, against_all)
    elif kind == CouncilRule.kind:
        women = read_quota(reader.take("women"), reader.at("women"))
        rule = CouncilRule(reader.uint("seats", 1, 1000), women, against_all)
    elif kind == ListSeatsRule.kind:
        seats = reader.uint("seats", 1, 1000)
        rule = ListSeatsRule(
            seats=seats,
            method=cast(Method, reader.word("method", ("hare", "dhondt"))),
            national=read_share(reader.take("national"), reader.at("national")),
            area=reader.optional("area", read_area),
            cap=reader.optional("cap", lambda value, path: _cap(value, path, seats)),
            women=reader.optional("women", read_quota),
            against_all=against_all,
        )
    else:
        rule = RunoffRule(against_all)
    reader.close()
    return rule


def _cap(value: object, path: str, seats: int) -> int:
    return require_int(value, path, 1, seats)
