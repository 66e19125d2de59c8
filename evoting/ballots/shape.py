"""The shape of a ballot style: which contests a ballot carries and how long each part of it is."""

from __future__ import annotations

from dataclasses import dataclass

from crypto.proofs.disjunctive import ChoiceLayout
from crypto.proofs.plaintext_knowledge import KnowledgeLayout
from evoting.definition import HomomorphicContest, Manifest


@dataclass(frozen=True)
class ContestShape:
    """One contest as a ballot sees it."""

    id: str
    layout: ChoiceLayout | KnowledgeLayout


@dataclass(frozen=True)
class StyleShape:
    """One ballot style: its contests in order."""

    id: str
    contests: tuple[ContestShape, ...]


def style_shapes(manifest: Manifest) -> dict[str, StyleShape]:
    """The shapes of all ballot styles, by id."""
    contests = {
        contest.id: ContestShape(
            contest.id,
            ChoiceLayout(len(contest.options), contest.min, contest.max)
            if isinstance(contest, HomomorphicContest)
            else KnowledgeLayout(contest.width),
        )
        for contest in manifest.contests
    }
    return {
        style.id: StyleShape(style.id, tuple(contests[name] for name in style.contests)) for style in manifest.styles
    }
