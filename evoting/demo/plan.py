"""What a demonstration was asked to do, kept so that an interrupted one goes on with the same settings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, cast

from evoting.demo.errors import DemoError
from evoting.demo.places import read_json, write_whole
from evoting.examples.kyrgyz2021 import ContestSelection, DemoOptions

ORIGIN = "evoting.example/kyrgyz-2021-demo"
CONTESTS = ("both", "referendum", "parliament")
#: How voters enrol and obtain credentials: from services over HTTP, or from commands by files.
ISSUANCE = ("http", "files")
#: The smallest scale at which credentials come over HTTP unless something else is asked for.
HTTP_SCALE = 1000
#: What an interruption may leave of a plan that is being written.
UNFINISHED = "plan.json.tmp"


class PlanError(DemoError):
    """The directory holds a demonstration with other settings, or something else."""


@dataclass(frozen=True)
class Plan:
    """Settings of one demonstration."""

    scale: int
    contest: ContestSelection
    opens: int
    issuance: str = "files"

    @cached_property
    def options(self) -> DemoOptions:
        """A model election that lasts for two days from now, so that a resumed run is still within it."""
        return DemoOptions(opens=self.opens, closes=self.opens + 2 * 86_400, epoch=1)

    @classmethod
    def load_or_start(
        cls,
        path: Path,
        scale: int,
        contest: Literal["both", "referendum", "parliament"],
        tell: Callable[[str], None] = lambda _: None,
        issuance: str = "files",
    ) -> Plan:
        """The plan of a directory, made if there is none.

        A demonstration with other settings in the directory is moved aside, whole, and comes back when its settings are
        asked for again.

        Raises:
            PlanError: the directory holds something else, or an unreadable plan.
        """
        root = path.parent
        if root.exists() and any(item.name != UNFINISHED for item in root.iterdir()):
            plan = cls.require(path)
            if (plan.scale, plan.contest, plan.issuance) == (scale, contest, issuance):
                return plan
            aside = _aside(root, plan)
            held = f"SCALE={plan.scale} CONTEST={plan.contest} ISSUANCE={plan.issuance}"
            if aside.exists():
                raise PlanError(f"{root} holds {held}, and {aside} is there already")
            root.rename(aside)
            tell(f"{root} held {held}; it is now {aside}")
        plan = cls(scale, contest, int(time.time()) - 5, issuance)
        earlier = _aside(root, plan)
        if not path.exists() and (earlier / path.name).exists():
            if root.exists():
                (root / UNFINISHED).unlink(missing_ok=True)
                root.rmdir()
            earlier.rename(root)
            tell(f"going on with {earlier}, which is now {root}")
            return cls.require(path)
        root.mkdir(parents=True, exist_ok=True)
        settings = {"scale": scale, "contest": contest, "opens": plan.opens, "issuance": issuance}
        write_whole(path, json.dumps(settings) + "\n")
        return plan

    @classmethod
    def require(cls, path: Path) -> Plan:
        """The plan in a file.

        Raises:
            PlanError: there is none, so that the directory is not a demonstration's.
        """
        try:
            value = read_json(path)
        except DemoError:
            value = {}
        scale, contest, opens = (value.get(name) for name in ("scale", "contest", "opens"))
        issuance = value.get("issuance")
        is_known = contest in CONTESTS and issuance in ISSUANCE
        if type(scale) is not int or type(opens) is not int or not is_known or scale < 1:
            raise PlanError(f"{path.parent} is not the directory of a demonstration: plan.json is missing or foreign")
        return cls(scale, cast("ContestSelection", contest), opens, str(issuance))


def _aside(root: Path, plan: Plan) -> Path:
    """Where a demonstration waits while its directory is used with other settings."""
    return root.with_name(f"{root.name}-{plan.scale}-{plan.contest}-{plan.issuance}")
