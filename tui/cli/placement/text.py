"""Placements for people: what was decided and by what, the ranking term by term, the refused with their reasons."""

from collections.abc import Iterable, Sequence
from itertools import chain

from core.codes import DecidedBy
from core.placement.engine.decision import Decision, decide
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placements, Verdict
from core.text import plural
from core.units import show_size
from tui.cli.output import headings, print_table, say
from tui.render.figures import cost_text, decimals

_ADDRESSES_SHOWN = 4
_TIES = {DecidedBy.RISE: "smaller cost increase", DecidedBy.VMS: "fewer VMs", DecidedBy.NAME: "name order"}


def headline(placements: Placements) -> None:
    """Print where the VM goes (or how many of the VMs find a host), and what decided."""
    request = describe(placements.request)
    able = sum(verdict.feasible for verdict in placements.verdicts)
    of_all = f"{able} of {plural(len(placements.verdicts), 'host')} can take it"
    if not placements.verdicts:
        say(f"{request}: no hosts to place it on")
        return
    if not placements.placements:
        say(f"{request}: no host can take it ({plural(len(placements.verdicts), 'host')} asked)")
        return
    first = placements.placements[0]
    if placements.count == 1:
        devices = f", with {' '.join(map(str, first.devices))}" if first.devices else ""
        say(f"{request}: {first.host}{devices}; {of_all}")
    else:
        used = len({placement.host for placement in placements.placements})
        say(f"{placements.count} VMs of {request}: {placements.placed} placed on {plural(used, 'host')}; {able} of "
            f"{plural(len(placements.verdicts), 'host')} can take the first")  # fmt: skip
    decision = decide(placements.verdicts)
    if decision is not None:
        say(sentence(decision))


def describe(request: Request) -> str:
    """Write a request in a few words."""
    devices = [f"{count} {kind}" for kind, count in request.devices.items()]
    return ", ".join([plural(request.vcpus, "vCPU"), show_size(request.memory_bytes), *devices])


def sentence(decision: Decision) -> str:
    """Return in one sentence why the best host is the best."""
    if decision.decided_by is DecidedBy.COST:
        margin = cost_text(decision.margin, decimals((0.0, decision.margin)))
        return f"{decision.best} is {margin} cheaper than {decision.next_best}: {decision.part} decides"
    return f"{decision.best} costs the same as {decision.next_best}: {_TIES[decision.decided_by]}"


def ranking(placements: Placements) -> None:
    """Print the hosts that can take the first VM, best first, with each term of the cost after placing."""
    verdicts = [verdict for verdict in placements.verdicts if verdict.feasible]
    if not verdicts:
        return
    attributes = _attributes(verdicts)
    digits = decimals(chain.from_iterable(_figures(verdict) for verdict in verdicts))
    several_realms = len({verdict.realm for verdict in placements.verdicts}) > 1
    terms = [f">{attribute.removeprefix('devices.')}" for attribute in attributes]
    columns = headings("Host", *(["Realm"] if several_realms else []), ">Cost", ">Rise", *terms, ">Scale", ">Offset")
    rows = []
    for verdict in verdicts:
        costs = {term.attribute: term.cost for term in verdict.terms}
        rows.append(
            [
                verdict.host,
                *([verdict.realm] if several_realms else []),
                _cost(verdict.cost.total if verdict.cost is not None else None, digits),
                _cost(verdict.rise, digits, signed=True),
                *(_cost(costs.get(attribute), digits) for attribute in attributes),
                f"{verdict.scale:g}",
                _cost(verdict.offset, digits),
            ]
        )
    say()
    print_table(columns, rows)


def _attributes(verdicts: Iterable[Verdict]) -> list[str]:
    """List the terms that any of the hosts has: vms, vcpus, memory, then device types by name."""
    found = dict.fromkeys(term.attribute for verdict in verdicts for term in verdict.terms)
    return [*(name for name in found if "." not in name), *sorted(name for name in found if "." in name)]


def _figures(verdict: Verdict) -> list[float]:
    totals = [verdict.cost.total] if verdict.cost is not None else []
    return [*totals, *(term.cost for term in verdict.terms)]


def _cost(value: float | None, digits: int, *, signed: bool = False) -> str:
    return "-" if value is None else cost_text(value, digits, signed=signed)


def after_placing(placements: Placements) -> None:
    """Print how many of several VMs each host gets, in the order in which the hosts were first chosen."""
    if not placements.placements:
        return
    counts: dict[str, int] = {}
    costs: dict[str, float] = {}
    devices: dict[str, list[str]] = {}
    for placement in placements.placements:
        counts[placement.host] = counts.get(placement.host, 0) + 1
        costs[placement.host] = placement.cost
        devices.setdefault(placement.host, []).extend(map(str, placement.devices))
    digits = decimals(costs.values())
    with_devices = any(devices.values())
    say()
    print_table(
        headings("Host", ">VMs placed", ">Cost then", *(["Devices"] if with_devices else [])),
        [
            [host, str(count), cost_text(costs[host], digits), *([_few(devices[host])] if with_devices else [])]
            for host, count in counts.items()
        ],
    )


def _few(addresses: Sequence[str]) -> str:
    shown = " ".join(addresses[:_ADDRESSES_SHOWN])
    more = len(addresses) - _ADDRESSES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "-"


def refusals(placements: Placements) -> None:
    """Print the refused hosts with every reason: for the first VM, and for the first that found no host."""
    first = [verdict for verdict in placements.verdicts if not verdict.feasible]
    if placements.placements and placements.stopped_by:
        _refused(f"Refused for VM {placements.placed + 1}", placements.stopped_by)
    elif first:
        _refused("Refused", first)


def _refused(title: str, verdicts: Iterable[Verdict]) -> None:
    say()
    rows = [
        [verdict.host if index == 0 else "", refusal.why.value, refusal.message]
        for verdict in verdicts
        for index, refusal in enumerate(verdict.reasons)
    ]
    print_table(headings(title, "Why", "Reason"), rows)
