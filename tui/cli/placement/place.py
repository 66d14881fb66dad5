"""`realms place`: which host would take a VM, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option
from tui.cli.placement.what_if_options import change_options, sandbox_of

if TYPE_CHECKING:
    from typing import Any

    from core.placement.engine.remedies import Remedy
    from core.placement.engine.verdicts import Placements
    from core.placement.what_if.sandbox import Sandbox
    from tui.cli.placement.what_if_options import Changes

MOST_VMS = 1_000_000

FEW_HOSTS = 10
"""Hosts whose remedies are told unasked where none can take the VM."""


@click.command("place", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of the VM.")
@click.option("--memory", type=SIZE, required=True, help="Memory of the VM, such as '8 GiB'; a bare number is bytes.")
@device_option
@click.option("--drives", is_flag=True, help="The VM has drives: require the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm.")
@click.option("--count", type=click.IntRange(1, MOST_VMS), default=1, show_default=True, metavar="K",
              help="Number of equal VMs to place.")  # fmt: skip
@timeout_option
@click.option("--explain", is_flag=True,
              help="Compare the best host with the next, and show what would make refused hosts take it.")  # fmt: skip
@change_options
@json_option
@pass_options
def place(
    options: GlobalOptions,
    *,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    realm: str | None,
    count: int,
    timeout: float,
    changes: Changes,
    drives: bool,
    explain: bool,
    as_json: bool,
) -> int:
    """Show which host would take a VM, and why. Changes nothing.

    Lists hosts that can take it, cheapest first, with every term of their cost after placing, then the refused with the
    reasons. With changes (--set and so on) it shows the differences. Exit code 1 if not all VMs can be placed.
    """
    from core.placement.engine import engine
    from core.placement.engine.request import Request
    from tui.cli.output import print_json

    request = Request(vcpus, memory, by_type(devices), realm, drives)
    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    placed = sandbox.compare(lambda configuration, of: engine.place(configuration, of, request, count))
    placements = placed.after
    few = not placements.placements and len(placements.verdicts) <= FEW_HOSTS
    if as_json:
        print_json(_document(placements, placed.before, sandbox, explain=explain))
    else:
        _print(placements, placed.before, sandbox, explain=explain, tell_remedies=explain or few)
    return 0 if placements.complete else 1


def _remedies(sandbox: Sandbox, placements: Placements) -> list[Remedy]:
    """Find what would make the hosts that refuse the first VM take it, in their order."""
    from core.placement.engine.remedies import remedy

    configuration, fleet = sandbox.after.configuration, sandbox.after.fleet
    snapshots = {snapshot.name: snapshot for snapshot in fleet.hosts}
    found = (
        remedy(configuration, fleet, placements.request, snapshots[verdict.host])
        for verdict in placements.verdicts
        if not verdict.feasible
    )
    return [each for each in found if each is not None]


def _document(placements: Placements, before: Placements, sandbox: Sandbox, *, explain: bool) -> dict[str, Any]:
    from core.placement.engine.decision import decide
    from core.placement.engine.rows import decision_row, placements_document, remedy_row

    document = placements_document(placements)
    if explain:
        decision = decide(placements.verdicts)
        document["explanation"] = {
            "decision": None if decision is None else decision_row(decision),
            "remedies": [remedy_row(remedy) for remedy in _remedies(sandbox, placements)],
        }
    if sandbox.changes:
        without = placements_document(before)
        document["what_if"] = {
            "changes": [str(change) for change in sandbox.changes],
            "hocon": sandbox.hocon,
            "before": {key: without[key] for key in ("placed", "placements", "verdicts")},
        }
    return document


def _print(placements: Placements, before: Placements, sandbox: Sandbox, *, explain: bool, tell_remedies: bool) -> None:
    from tui.cli.placement.explain_text import best_against_next, remedies
    from tui.cli.placement.text import after_placing, headline, ranking, refusals
    from tui.cli.placement.what_if_text import differences, keep, what_if

    what_if(sandbox)
    headline(placements)
    ranking(placements)
    if explain:
        best_against_next(placements.verdicts)
    if placements.count > 1:
        after_placing(placements)
    refusals(placements)
    if tell_remedies:
        remedies(_remedies(sandbox, placements), placements.request)
    if sandbox.changes:
        differences(before, placements)
        keep(sandbox)
