"""`realms plan drain`, `rebalance` and `room`: moves in their order, shown, and made with --apply."""

import click

from core.operations.plans.order import MovesKind, PlanOrder
from core.placement.engine.request import Request
from core.placement.plans.make_room import DEFAULT_MOST_MOVES
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand
from tui.cli.plans.terms import Terms, move_options


@click.command("drain", cls=RealmsCommand)
@click.argument("host")
@move_options
def drain(options: GlobalOptions, terms: Terms, *, host: str) -> int:
    """Plan to drain HOST: where each of its VMs would go, largest first, and which can't move and why.

    Moves nothing without --apply. VMs that are off use no resources and stay defined there. Exit code 1 if an active VM
    would stay, or with --apply has stayed.
    """
    return _answer(options, terms.order(MovesKind.DRAIN, host=host), terms)


@click.command("rebalance", cls=RealmsCommand)
@click.option(
    "--most", type=click.IntRange(min=0), metavar="N", help="Maximum number of moves, those with the most gain."
)
@move_options
def rebalance(options: GlobalOptions, terms: Terms, *, most: int | None) -> int:
    """Plan moves that rebalance hosts by cost, those with the most gain first, until no VM has a cheaper host.

    Moves nothing without --apply. Shows the highest cost and the sum before and after, and what fewer moves would
    achieve. Exit code 1 if --apply could not make a move.
    """
    return _answer(options, terms.order(MovesKind.REBALANCE, most=most), terms)


@click.command("room", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of the VM.")
@click.option("--memory", type=SIZE, required=True, help="Memory of the VM, such as '8 GiB'; a bare number is bytes.")
@device_option
@click.option("--drives", is_flag=True, help="The VM has drives: require the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm.")
@click.option("--most", type=click.IntRange(0, 32), default=DEFAULT_MOST_MOVES, show_default=True, metavar="N",
              help="Maximum number of moves.")  # fmt: skip
@move_options
def room(
    options: GlobalOptions,
    terms: Terms,
    *,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    drives: bool,
    realm: str | None,
    most: int,
) -> int:
    """Plan moves that make room for a VM, as few as can be found. None are needed if a host can take it now.

    Moves nothing without --apply. Exit code 1 if no such moves were found, or if --apply could not make one.
    """
    request = Request(vcpus, memory, by_type(devices), realm, drives)
    return _answer(options, terms.order(MovesKind.ROOM, request=request, most=most), terms)


def _answer(options: GlobalOptions, order: PlanOrder, terms: Terms) -> int:
    """Show the plan, or carry it out with --apply; returns the exit code."""
    from core.placement.plans.rows import moves_document
    from tui.cli.output import print_json
    from tui.cli.placement.what_if_options import sandbox_of
    from tui.cli.plans.apply import apply_plan
    from tui.cli.plans.options import document
    from tui.cli.plans.text import is_found, print_plan

    if terms.carries_out:
        return apply_plan(options, order, terms)
    realm = order.request.realm if order.request is not None else None
    sandbox = sandbox_of(options, terms.timeout, terms.changes, host=order.host or None, realm=realm)
    plans = sandbox.compare(order.plan)
    if terms.as_json:
        print_json(document(sandbox, moves_document(plans.before), moves_document(plans.after)))
    else:
        print_plan(sandbox, plans)
    return 0 if is_found(plans.after) else 1
