"""Areas in which a threshold holds: regions, joined where a tally group spans several; docs/spec/10-results.md 10.6."""

from __future__ import annotations

from collections.abc import Sequence

from evoting.definition import Manifest

from .totals import GroupTally


def areas_of(
    manifest: Manifest, regions: Sequence[str], groups: Sequence[GroupTally]
) -> list[tuple[str, list[GroupTally]]]:
    """Every area that holds one of ``regions``: its name and its tally groups.

    Groups belong to one area if they have a region in common, directly or through other groups. An area's name is its
    listed regions joined with "+"; regions and areas are in the manifest's order of regions.
    """
    unit_regions = {unit.id: unit.region for unit in manifest.units}
    areas: list[tuple[set[str], list[GroupTally]]] = []
    for group in groups:
        found = {unit_regions[unit] for style in group.styles for unit in manifest.style_by_id[style].units}
        members = [group]
        apart = []
        for known, others in areas:
            if known & found:
                found |= known
                members = others + members
            else:
                apart.append((known, others))
        areas = [*apart, (found, members)]
    order = [region.id for region in manifest.regions]
    named = []
    for found, members in areas:
        listed = [region for region in order if region in found and region in regions]
        if listed:
            named.append((listed, members))
    named.sort(key=lambda area: order.index(area[0][0]))
    return [("+".join(listed), members) for listed, members in named]
