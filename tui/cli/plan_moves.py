"""`realms plan drain` and `realms plan rebalance`: moves in their order, and what stays and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.changes import change_options
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.plan_apply import (
    apply_option,
    carried_row,
    carry_out_plan,
    check_applicable,
    print_carried,
    real,
    yes_option,
)
from tui.cli.plan_question import document, sandbox_of, timeout_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.operations.carry_out import Carried
    from core.placement.demand import MovePolicy
    from tui.cli.changes import Changes

_foreign_option = click.option("--foreign", is_flag=True, help="Move VMs too that no realm has made.")


@click.command("drain", cls=RealmsCommand)
@click.argument("host")
@_foreign_option
@click.option("--live-only", is_flag=True,
              help="Leave VMs that hold PCI devices: they would be shut down on the way.")  # fmt: skip
@apply_option
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
    carries_out: bool,
    yes: bool,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Plan to empty HOST: where each of its VMs would go, the largest first, and which can't move and why.

    Moves nothing without --apply. VMs that are off use nothing and stay defined there. Exit code 1 where an active VM
    would stay, or with --apply has stayed.
    """
    from core.placement import drain as planning
    from core.placement.demand import MovePolicy
    from core.placement.plan_rows import drain_document
    from tui.cli.output import print_json
    from tui.cli.plan_text import print_drain

    policy = MovePolicy(foreign=foreign, with_devices=not live_only and not carries_out)
    if carries_out:
        check_applicable(changes)
        return _apply_drain(options, host, policy, timeout=timeout, yes=yes, as_json=as_json)
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
              help="Move VMs too that hold PCI devices: they would be shut down on the way.")  # fmt: skip
@apply_option
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
    yes: bool,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Plan moves that even out the hosts' costs, those of most gain first, until no VM would have a cheaper host.

    Moves nothing without --apply. It tells the highest cost and the sum before and after, and how far fewer moves
    would get. Exit code 1 where --apply could not make a move.
    """
    from core.placement import rebalance as planning
    from core.placement.demand import MovePolicy
    from core.placement.plan_rows import rebalance_document
    from tui.cli.output import print_json
    from tui.cli.plan_text import print_rebalance

    policy = MovePolicy(foreign=foreign, with_devices=offline and not carries_out)
    if carries_out:
        check_applicable(changes)
        return _apply_rebalance(options, policy, most, timeout=timeout, yes=yes, as_json=as_json)
    sandbox = sandbox_of(options, timeout, changes)
    plans = sandbox.compare(
        lambda configuration, fleet: planning.rebalance(configuration, fleet, policy, most=most)
    )  # fmt: skip
    if as_json:
        print_json(document(sandbox, rebalance_document(plans.before), rebalance_document(plans.after)))
    else:
        print_rebalance(sandbox, plans)
    return 0


def _apply_drain(
    options: GlobalOptions, host: str, policy: MovePolicy, *, timeout: float, yes: bool, as_json: bool
) -> int:
    from core.placement.drain import drain as plan_drain
    from core.placement.plan_rows import drain_document
    from core.placement.sandbox import Compared
    from tui.cli.output import print_json
    from tui.cli.plan_question import say_folded
    from tui.cli.plan_text import drained, print_drain

    workplace = options.changing_workplace()
    try:
        sandbox = real(workplace, timeout, host)
        plan = plan_drain(workplace.configuration, sandbox.after.fleet, host, policy)
        if not as_json:
            print_drain(sandbox, Compared(plan, plan))

        def tell(carried: Sequence[Carried]) -> None:
            if as_json:
                row = drain_document(plan)
                print_json({**document(sandbox, row, row), "applied": [carried_row(done) for done in carried]})
            else:
                print_carried(carried, len(plan.moves))

        agreed = carry_out_plan(
            workplace, f"drain {host}", plan.moves,
            lambda configuration, fleet: plan_drain(configuration, fleet, host, policy).moves,
            foreign=policy.foreign, timeout=timeout, yes=yes, quiet=as_json, tell=tell,
        )  # fmt: skip
        left = plan_drain(workplace.configuration, workplace.fleet(), host, policy)
        emptied = left.complete and not left.moves
        if agreed and plan.moves and not emptied and not as_json:
            say_folded(f"Not empty yet. {drained(left)}")
        return 0 if agreed and emptied else 1
    finally:
        workplace.close()


def _apply_rebalance(
    options: GlobalOptions, policy: MovePolicy, most: int | None, *, timeout: float, yes: bool, as_json: bool
) -> int:
    from core.placement.plan_rows import rebalance_document
    from core.placement.rebalance import rebalance as plan_rebalance
    from core.placement.sandbox import Compared
    from tui.cli.output import print_json
    from tui.cli.plan_text import print_rebalance

    workplace = options.changing_workplace()
    try:
        sandbox = real(workplace, timeout)
        plan = plan_rebalance(workplace.configuration, sandbox.after.fleet, policy, most=most)
        if not as_json:
            print_rebalance(sandbox, Compared(plan, plan))
        failed: list[Carried] = []

        def tell(carried: Sequence[Carried]) -> None:
            failed.extend(done for done in carried if done.error is not None)
            if as_json:
                row = rebalance_document(plan)
                print_json({**document(sandbox, row, row), "applied": [carried_row(done) for done in carried]})
            else:
                print_carried(carried, len(plan.moves))

        agreed = carry_out_plan(
            workplace, "rebalance", plan.moves,
            lambda configuration, fleet: plan_rebalance(configuration, fleet, policy).moves,
            foreign=policy.foreign, timeout=timeout, yes=yes, quiet=as_json, tell=tell,
        )  # fmt: skip
        return 0 if agreed and not failed else 1
    finally:
        workplace.close()
