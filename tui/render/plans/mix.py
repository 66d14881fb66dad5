"""Capacity for a mix of sizes: how often the whole mix fits, and where the VMs of one mix would go."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from core.fleet.fleet import Fleet
from core.placement.engine.request import Request
from core.placement.plans.batch import BatchComparison, BatchPlan
from core.placement.plans.mix import MixCapacity
from core.text import natural, plural
from tui.render.cells import Piece, Tone
from tui.render.plans.hosts import NO_HOSTS
from tui.render.plans.sheet import Detail, PlanView, asked_for, said
from tui.render.rows import Column, Row, RowKey

Mix = Sequence[tuple[Request, int]]

_TIMES = "\N{MULTIPLICATION SIGN}"

_COLUMNS = (
    Column(key="host", title="HOST", least=8, most=32, letter="N"),
    Column(key="realm", title="REALM", least=6, most=16, letter="R", priority=4),
    Column(key="whole", title="VMS", right=True, least=6, letter="M", ascending=False),
    Column(key="given", title="NEXT MIX", right=True, least=6, letter="G", ascending=False, priority=1),
    Column(key="largest", title="LARGEST FIRST", right=True, least=6, letter="L", ascending=False, priority=2),
    Column(key="which", title="PLACED HERE", least=10, most=200, stretch=True, priority=3),
)


def mix_columns(realms: int) -> tuple[Column, ...]:
    """Return the columns; with one realm, whose a host is goes without saying."""
    return tuple(replace(each, wide_only=realms < 2) if each.key == "realm" else each for each in _COLUMNS)


def mix_in_words(mix: Mix) -> str:
    """Write a mix: how many of each size."""
    return " + ".join(f"{count} {_TIMES} {asked_for(request)}" for request, count in mix)


def mix_sheet(capacity: MixCapacity, once: BatchComparison, fleet: Fleet) -> PlanView:
    """Show how many whole mixes fit, and on which hosts; and where the VMs of a single one would go."""
    heading = f"Capacity for {mix_in_words(capacity.mix)}"
    if not fleet.hosts:
        return PlanView(heading=heading, said=said("No hosts"), empty=NO_HOSTS)
    first, tone = _fits(capacity)
    given, largest = (_by_host(plan) for plan in (once.arrival, once.largest_first))
    hosts = sorted(fleet.hosts, key=lambda snapshot: natural(snapshot.name))
    rows = []
    details: dict[RowKey, Detail] = {}
    for snapshot in hosts:
        name, realm = snapshot.name, snapshot.host.realm
        whole = capacity.by_host.get(name, 0)
        here, otherwise = given.get(name, Counter()), largest.get(name, Counter())
        counts = (whole, here.total(), otherwise.total())
        which = _which(here)
        cells = (name, realm, "no limit" if capacity.fits is None else str(whole), *map(str, counts[1:]), which)
        rows.append(Row(name, cells, (natural(name), natural(realm), *counts, which), dim=not any(counts)))
        details[name] = _detail(name, capacity, here, otherwise)
    return PlanView(
        heading=heading, said=said(first, _stop(capacity), _once(once), tone=tone), rows=tuple(rows), details=details
    )


def _fits(capacity: MixCapacity) -> tuple[str, Tone]:
    one = sum(count for _, count in capacity.mix)
    if capacity.fits is None:
        return "No limit for this mix", Tone.STRONG
    if capacity.fits == 0:
        return "The mix does not fit", Tone.WARN
    able = len(capacity.by_host)
    more = "or more " if capacity.capped else ""
    whole = "mix fits" if capacity.fits == 1 else "mixes fit"
    vms = plural(capacity.fits * one, "VM")
    return f"{capacity.fits} {more}{whole}: {vms} on {plural(able, 'host')}", Tone.STRONG


def _stop(capacity: MixCapacity) -> str:
    if capacity.stopped_by is None:
        return "counting stopped there" if capacity.capped else ""
    return f"next refused: {asked_for(capacity.stopped_by)}: {capacity.message}"


def _once(once: BatchComparison) -> str:
    """Return whether the order matters for one mix, where not all of it is placed anyway."""
    given, largest = once.arrival, once.largest_first
    total = given.placed + len(given.refused)
    if given.placed == largest.placed == total:
        return ""
    return (
        f"next mix: {given.placed} of {plural(total, 'VM')} placed in the given order, {largest.placed} largest first"
    )


def _by_host(plan: BatchPlan) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = {}
    for placement in plan.placements:
        counted.setdefault(placement.host, Counter())[asked_for(placement.request)] += 1
    return counted


def _which(counts: Counter[str]) -> str:
    return " + ".join(f"{count} {_TIMES} {size}" for size, count in counts.items()) or "-"


def _detail(name: str, capacity: MixCapacity, given: Counter[str], largest: Counter[str]) -> Detail:
    whole = capacity.by_host.get(name, 0)
    told = "any number of VMs" if capacity.fits is None else plural(whole, "VM")
    paragraphs: list[Piece] = [
        (f"Next mix, in the given order: {_which(given)}", Tone.PLAIN),
        (f"Largest first: {_which(largest)}", Tone.PLAIN),
    ]
    if capacity.message:
        paragraphs.append((f"Next mix refused: {capacity.message}", Tone.MUTED))
    return Detail(((name, Tone.STRONG), (f"  {told} in complete mixes", Tone.MUTED)), tuple(paragraphs))
