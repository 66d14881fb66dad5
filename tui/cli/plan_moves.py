"""`realms plan drain` and `realms plan rebalance`: moves in their order, and what stays and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import UsageError
from tui.cli.changes import change_options
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.plan_apply import apply_option, apply_plan, bandwidth_option, check_applicable, parallel_option, yes_option
from tui.cli.plan_question import document, sandbox_of, timeout_option

if TYPE_CHECKING:
    from tui.cli.changes import Changes

_foreign_option = click.option("--foreign", is_flag=True, help="Move VMs too that no realm has made.")


@click.command("drain", cls=RealmsCommand)
@click.argument("host")
@_foreign_option
@click.option("--live-only", is_flag=True,
              help="Leave VMs that hold PCI devices: they would be shut down on the way.")  # fmt: skip
@click.option("--offline", is_flag=True,
              help="With --apply: VMs that hold PCI devices are shut down, moved, started.")  # fmt: skip
@apply_option
@parallel_option
@bandwidth_option
@yes_option
@timeout_option
@change_options
@json_option
@pass_options
def drain(
    options: GlobalOptions,
    *,
    host: str,
    foreign: bool,
    live_only: bool,
    offline: bool,
    carries_out: bool,
    parallel: int,
    bandwidth: int | None,
    yes: bool,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Plan to empty HOST: where each of its VMs would go, the largest first, and which can't move and why.

    Moves nothing without --apply. VMs that are off use nothing and stay defined there. Exit code 1 where an active VM
    would stay, or with --apply has stayed.
    """
    from core.operations.plan_order import PlanKind, PlanOrder
    from core.placement import drain as planning
    from core.placement.demand import MovePolicy
    from core.placement.plan_rows import drain_document
    from tui.cli.output import print_json
    from tui.cli.plan_text import print_drain

    if live_only and offline:
        raise UsageError("--live-only leaves the VMs that --offline shuts down", hint="leave one of them out")
    if carries_out:
        check_applicable(changes)
        order = PlanOrder(kind=PlanKind.DRAIN, host=host, foreign=foreign, offline=offline, parallel=parallel,
                          bandwidth=bandwidth or 0)  # fmt: skip
        return apply_plan(options, order, timeout=timeout, yes=yes, as_json=as_json)
    policy = MovePolicy(foreign=foreign, with_devices=not live_only)
    sandbox = sandbox_of(options, timeout, changes, host=host)
    plans = sandbox.compare(lambda configuration, fleet: planning.drain(configuration, fleet, host, policy))
    if as_json:
        print_json(document(sandbox, drain_document(plans.before), drain_document(plans.after)))
    else:
        print_drain(sandbox, plans)
    return 0 if plans.after.complete else 1


@click.command("rebalance", cls=RealmsCommand)
@click.option("--most", type=click.IntRange(min=0), metavar="N", help="At most so many moves, those of most gain.")
@_foreign_option
@click.option("--offline", is_flag=True,
              help="Move VMs too that hold PCI devices: they are shut down on the way.")  # fmt: skip
@apply_option
@parallel_option
@bandwidth_option
@yes_option
@timeout_option
@change_options
@json_option
@pass_options
def rebalance(
    options: GlobalOptions,
    *,
    most: int | None,
    foreign: bool,
    offline: bool,
    carries_out: bool,
    parallel: int,
    bandwidth: int | None,
    yes: bool,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Plan moves that even out the hosts' costs, those of most gain first, until no VM would have a cheaper host.

    Moves nothing without --apply. It tells the highest cost and the sum before and after, and how far fewer moves
    would get. Exit code 1 where --apply could not make a move.
    """
    from core.operations.plan_order import PlanKind, PlanOrder
    from core.placement import rebalance as planning
    from core.placement.demand import MovePolicy
    from core.placement.plan_rows import rebalance_document
    from tui.cli.output import print_json
    from tui.cli.plan_text import print_rebalance

    if carries_out:
        check_applicable(changes)
        order = PlanOrder(kind=PlanKind.REBALANCE, foreign=foreign, offline=offline, parallel=parallel, most=most,
                          bandwidth=bandwidth or 0)  # fmt: skip
        return apply_plan(options, order, timeout=timeout, yes=yes, as_json=as_json)
    policy = MovePolicy(foreign=foreign, with_devices=offline)
    sandbox = sandbox_of(options, timeout, changes)
    plans = sandbox.compare(
        lambda configuration, fleet: planning.rebalance(configuration, fleet, policy, most=most)
    )  # fmt: skip
    if as_json:
        print_json(document(sandbox, rebalance_document(plans.before), rebalance_document(plans.after)))
    else:
        print_rebalance(sandbox, plans)
    return 0
