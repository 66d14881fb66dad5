"""`realms plan room`: the moves after which a host takes a VM that none can take as things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.placement.make_room import DEFAULT_MOST_MOVES
from tui.cli.changes import change_options
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.plan_question import counted, document, sandbox_of, say_folded, tell_silent, timeout_option

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet import Fleet
    from core.placement.make_room import RoomPlan
    from core.placement.sandbox import Compared, Sandbox
    from tui.cli.changes import Changes


@click.command("room", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of the VM.")
@click.option("--memory", type=SIZE, required=True, help="Memory of the VM, such as '8 GiB'; a bare number is bytes.")
@device_option
@click.option("--drives", is_flag=True, help="The VM has drives: its host needs the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm (else those of all).")
@click.option("--most", type=click.IntRange(0, 32), default=DEFAULT_MOST_MOVES, show_default=True, metavar="N",
              help="At most so many moves.")  # fmt: skip
@click.option("--foreign", is_flag=True, help="Move VMs too that no realm has made.")
@click.option("--offline", is_flag=True,
              help="Move VMs too that hold PCI devices: they would be shut down on the way.")  # fmt: skip
@timeout_option
@change_options
@json_option
@pass_options
def room(
    options: GlobalOptions,
    *,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    drives: bool,
    realm: str | None,
    most: int,
    foreign: bool,
    offline: bool,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Find moves after which a host takes a VM: as few as can be found. None are needed where a host takes it now.

    Moves nothing. Exit code 1 where no such moves were found.
    """
    from core.placement.demand import MovePolicy
    from core.placement.make_room import make_room
    from core.placement.plan_rows import room_document
    from core.placement.request import Request
    from tui.cli.output import print_json

    request = Request(vcpus, memory, by_type(devices), realm, drives)
    policy = MovePolicy(foreign=foreign, with_devices=offline)

    def ask(configuration: Configuration, fleet: Fleet) -> RoomPlan:
        return make_room(configuration, fleet, request, policy, most_moves=most)

    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    plans = sandbox.compare(ask)
    if as_json:
        print_json(document(sandbox, room_document(plans.before), room_document(plans.after)))
    else:
        _print(sandbox, plans)
    return 0 if plans.after.host is not None else 1


def _print(sandbox: Sandbox, plans: Compared[RoomPlan]) -> None:
    from tui.cli.plan_text import print_moves
    from tui.cli.what_if_text import keep, what_if

    if sandbox.changes:
        what_if(sandbox)
    say_folded(_sentence(plans.after))
    if sandbox.changes:
        say_folded(f"Without the changes: {_sentence(plans.before)}")
    print_moves(plans.after.moves, with_source=True)
    tell_silent(sandbox.after.fleet)
    if sandbox.changes:
        keep(sandbox)


def _sentence(plan: RoomPlan) -> str:
    from tui.cli.placement_text import describe
    from tui.render.figures import cost_text, decimals

    vm = describe(plan.request)
    if plan.host is None:
        tried = "all within --most were tried" if plan.exhausted else "the search ended before all were tried"
        return f"{vm}: no moves were found after which a host takes it; {tried}"
    devices = f", with {' '.join(map(str, plan.devices))}" if plan.devices else ""
    cost = cost_text(plan.cost, decimals((plan.cost,)))
    if not plan.moves:
        return f"{vm}: {plan.host} takes it as things are, at a cost of {cost}{devices}"
    fewest = ", and fewer would not do" if plan.smallest else ""
    moves = counted(len(plan.moves), "move")
    return f"{vm}: {plan.host} takes it after {moves}, at a cost of {cost}{devices}{fewest}"
