"""`realms place`: which host would take a VM, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.changes import change_options, changed
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, WAIT, GlobalOptions, RealmsCommand, json_option, pass_options

if TYPE_CHECKING:
    from core.hosts import HostState
    from core.placement.verdicts import Placements

MOST_VMS = 1_000_000


@click.command("place", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of the VM.")
@click.option("--memory", type=SIZE, required=True, help="Memory of the VM, such as '8 GiB'; a bare number is bytes.")
@device_option
@click.option("--drives", is_flag=True, help="The VM has drives: its host needs the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm (else those of all).")
@click.option("--count", type=click.IntRange(1, MOST_VMS), default=1, show_default=True, metavar="K",
              help="Place so many equal VMs one after another.")  # fmt: skip
@click.option("--timeout", type=WAIT, default=10.0, show_default=True, metavar="SECONDS",
              help="How long to wait for hosts that don't answer.")  # fmt: skip
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
    host_states: tuple[tuple[str, HostState], ...],
    without: tuple[str, ...],
    drives: bool,
    as_json: bool,
) -> int:
    """Say which host would take a VM, and why. Creates nothing.

    Hosts that can take it come first, the cheapest on top, with every term of their cost after placing; then the
    refused, with the reasons. Exit code 1 where not all VMs could be placed.
    """
    from core.operations.selection import check_known
    from core.placement import engine
    from core.placement.request import Request
    from tui.cli.json_shapes import placements_document
    from tui.cli.output import print_json

    request = Request(vcpus, memory, by_type(devices), realm, drives)
    workplace = options.workplace()
    try:
        check_known("realm", realm, workplace.configuration.realms)
        fleet = workplace.settled_fleet(timeout)
    finally:
        workplace.close()
    fleet = changed(fleet, host_states, without)
    placements = engine.place(workplace.configuration, fleet, request, count)
    if as_json:
        print_json(placements_document(placements))
    else:
        _print(placements)
    return 0 if placements.complete else 1


def _print(placements: Placements) -> None:
    from tui.cli.placement_text import after_placing, headline, ranking, refusals

    headline(placements)
    ranking(placements)
    if placements.count > 1:
        after_placing(placements)
    refusals(placements)
