"""Signed voter lists in the registrar's database, and the roll out of the final one (docs/spec/05-voter-lists.md).

Who may sign lists, and what an election asks of them, is configuration: no argument of a command chooses the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from biometric_idp.errors import StateError
from biometric_idp.population.lists.format import ListKind
from biometric_idp.population.lists.repository import StoredList, drop_entries, stored_lists
from biometric_idp.population.lists.roll import draw_roll
from biometric_idp.population.lists.rules import ListRules, read_rules
from biometric_idp.population.lists.service import (
    ImportReport,
    Outcome,
    final_list,
    import_list,
    prepare_database,
)
from biometric_idp.population.lists.signature import read_trust
from biometric_idp.registrar.config import ElectionConfig
from biometric_idp.registrar.context import Registrar
from biometric_idp.registrar.rolls.repository import RollRepository
from biometric_idp.shared.audit.service import Fact


def take_list(
    registrar: Registrar,
    election: ElectionConfig,
    base: Path,
    path: Path,
    signature: Path,
    *,
    leave_out_rejected: bool = False,
) -> ImportReport:
    """Import a signed list and note it in the audit log; the same again changes nothing.

    Args:
        base: directory that paths in the configuration are relative to.

    Raises:
        StateError: lists are not configured.
        ListRefused: the list as a whole does not hold.
    """
    trusted = registrar.config.lists
    if trusted is None:
        raise StateError("the configuration has no [lists] with the keys of those who may sign")
    rules = _rules(election, base)
    trust = read_trust([base / item for item in trusted.trust])
    engine = registrar.committer.engine
    prepare_database(engine)
    now = registrar.clock()
    report = import_list(
        engine, path, signature, rules, trust, datetime.fromtimestamp(now, UTC), leave_out_rejected=leave_out_rejected
    )
    if report.outcome is Outcome.ACCEPTED:
        registrar.committer.commit(
            "list",
            lambda db: registrar.audit.record_operation(
                db,
                "voter-list",
                now,
                election=election.id,
                number=report.header.number,
                kind=report.header.kind.value,
                sha256=report.sha256,
                signer=report.signer,
                voters=report.voters,
                rejected=report.rejected,
            ),
        )
    return report


def draw_from_lists(
    registrar: Registrar, election: ElectionConfig, base: Path, styles: Sequence[str]
) -> tuple[StoredList, list[str], list[tuple[str, str]]]:
    """The final list, ballot styles in their order, and (style, PIN) of every voter in order of position.

    The order's secret is derived from the deployment's, so the same roll can be drawn again for an auditor.

    Args:
        styles: in the manifest's order; sorted where there are none.

    Raises:
        StateError: there is no final list, or the styles are not those of the rules.
    """
    rules = _rules(election, base)
    engine = registrar.committer.engine
    prepare_database(engine)
    source = final_list(engine, election.id)
    known = sorted(set(rules.units.values()))
    if styles and sorted(styles) != known:
        raise StateError(f"the rules have the ballot styles {', '.join(known)}")
    rows = draw_roll(engine, election.id, registrar.digest("roll-order", election.id), rules.units)
    return source, list(styles) or known, [(row.style, row.pin) for row in rows]


def purge_lists(registrar: Registrar) -> int:
    """Delete entries of preliminary lists of elections whose roll is drawn, with the proof in the audit log.

    The final list stays whole, so that the roll can be drawn again from it.
    """
    if registrar.config.lists is None:
        return 0
    prepare_database(registrar.committer.engine)
    now = registrar.clock()

    def purge(db: Connection) -> int:
        total = 0
        for election in registrar.config.elections:
            if RollRepository(db).head(election.id) is None:
                continue
            for item in stored_lists(db, election.id):
                count = drop_entries(db, item.id) if item.kind is ListKind.PRELIMINARY else 0
                if count:
                    facts: dict[str, Fact] = {"kind": "voter-list-entries", "count": count, "sha256": item.sha256}
                    registrar.audit.record_operation(db, "purged", now, election=election.id, **facts)
                total += count
        return total

    return registrar.committer.commit("purge-lists", purge)


def _rules(election: ElectionConfig, base: Path) -> ListRules:
    if election.rules is None:
        raise StateError(f"election {election.id} has no rules for voter lists in the configuration")
    rules = read_rules(base / election.rules)
    if rules.election != election.id:
        raise StateError(f"{election.rules}: the rules are those of election {rules.election}")
    return rules
