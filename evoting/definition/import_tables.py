"""Units, parties, candidates and options from tables; each row remembers where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .convert import microdegrees_of, number_of
from .errors import DefinitionError
from .import_text import Row, decode_text, parse_csv
from .text import file_label


class Tables:
    """The tables of one import.

    ``sources`` maps the path of an item in the manifest to the file and line it came from; ``style_units`` are the
    units that a column ``style`` assigns.
    """

    def __init__(self, files: Mapping[str, bytes], notices: list[str]) -> None:
        self.files = files
        self.notices = notices
        self.used: set[str] = set()
        self.missing: set[str] = set()
        self.sources: dict[str, str] = {}
        self.style_units: dict[str, list[str]] = {}
        self._rows: dict[str, list[Row]] = {}

    def units(self, name: str, languages: Sequence[str]) -> list[object]:
        """Reporting units. Columns: id, kind, region, title_*, registered; optionally lat, lon, style."""
        rows = self._read(name, ["id", "kind", "region", "registered"], ["lat", "lon", "style"], languages)
        units: list[object] = []
        for row in rows:
            self._came_from(f"units[{len(units)}]", row)
            lat, lon = row.cells.get("lat", ""), row.cells.get("lon", "")
            location = None
            if lat or lon:
                location = [microdegrees_of(lat, row.at("lat")), microdegrees_of(lon, row.at("lon"))]
            units.append(
                {
                    "id": row.cells["id"],
                    "kind": row.cells["kind"],
                    "region": row.cells["region"],
                    "title": _titles(row, languages),
                    "location": location,
                    "registered": number_of(row.cells["registered"], row.at("registered")),
                }
            )
            if row.cells.get("style"):
                self.style_units.setdefault(row.cells["style"], []).append(row.cells["id"])
        return units

    def options(self, name: str, contest: str, path: str, languages: Sequence[str]) -> list[object]:
        """Options of a homomorphic contest. Columns: contest, id, title_*; optionally role, sex, party."""
        options: list[object] = []
        for row in self._of_contest(name, contest, ["id"], ["role", "sex", "party"], languages):
            if row.cells.get("party"):
                raise DefinitionError(row.at("party"), f"contest {contest} has no lists; leave this empty")
            self._came_from(f"{path}[{len(options)}]", row)
            options.append(
                {
                    "id": row.cells["id"],
                    "role": row.cells.get("role") or "candidate",
                    "sex": row.cells.get("sex") or None,
                    "title": _titles(row, languages),
                }
            )
        return options

    def candidates(
        self, name: str, contest: str, party: str | None, path: str, languages: Sequence[str]
    ) -> list[object]:
        """Candidates of a list or of a ranked contest. Columns: contest, id, title_*; optionally party, sex, role."""
        candidates: list[object] = []
        for row in self._of_contest(name, contest, ["id"], ["party", "sex", "role"], languages):
            if (row.cells.get("party") or None) != party:
                continue
            if row.cells.get("role") not in (None, "", "candidate"):
                raise DefinitionError(row.at("role"), "expected candidate, or nothing")
            self._came_from(f"{path}[{len(candidates)}]", row)
            candidates.append(
                {"id": row.cells["id"], "sex": row.cells.get("sex") or None, "title": _titles(row, languages)}
            )
        return candidates

    def parties(self, name: str, contest: str, path: str, languages: Sequence[str]) -> list[dict[str, object]]:
        """Parties without their candidates. Columns: contest, id, title_*."""
        parties: list[dict[str, object]] = []
        for row in self._of_contest(name, contest, ["id"], [], languages):
            self._came_from(f"{path}[{len(parties)}]", row)
            parties.append({"id": row.cells["id"], "title": _titles(row, languages)})
        return parties

    def require_parties(self, name: str, contest: str, parties: set[str], languages: Sequence[str]) -> None:
        """Refuse candidates of a party that the contest does not have."""
        for row in self._of_contest(name, contest, ["id"], ["party", "sex", "role"], languages):
            if row.cells.get("party", "") not in parties:
                raise DefinitionError(row.at("party"), f"contest {contest} has no party {row.cells.get('party', '')!a}")

    def require_contests(self, contests: set[str]) -> None:
        """Refuse rows of a contest that the election does not have."""
        for rows in self._rows.values():
            for row in rows:
                if "contest" in row.cells and row.cells["contest"] not in contests:
                    raise DefinitionError(row.at("contest"), f"there is no contest {row.cells['contest']!a}")

    def _came_from(self, path: str, row: Row) -> None:
        self.sources[path] = f"{row.file}, line {row.line}"

    def _of_contest(
        self, name: str, contest: str, required: list[str], optional: list[str], languages: Sequence[str]
    ) -> list[Row]:
        rows = self._read(name, ["contest", *required], optional, languages)
        return [row for row in rows if row.cells["contest"] == contest]

    def _read(self, name: str, required: list[str], optional: list[str], languages: Sequence[str]) -> list[Row]:
        if name not in self._rows:
            if name not in self.files:
                self.missing.add(name)
                raise DefinitionError(file_label(name), "there is no such file")
            self.used.add(name)
            label = file_label(name)
            text = decode_text(label, self.files[name], self.notices)
            titles = [f"title_{language}" for language in languages]
            self._rows[name] = parse_csv(label, text, [*required, *titles], optional, self.notices)
        return self._rows[name]


def _titles(row: Row, languages: Sequence[str]) -> dict[str, object]:
    return {language: row.cells[f"title_{language}"] for language in languages}
