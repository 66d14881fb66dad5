"""Plans of moves for people: the steps, what stays and why, what it brings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core.curves import INFINITY
from core.placement.demand import Stays
from tui.cli.output import Column, print_table, say
from tui.cli.plan_question import counted, say_folded, tell_silent, tell_stuck
from tui.cli.what_if_text import keep, what_if
from tui.render.figures import cost_text, decimals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.placement.drain import DrainPlan, Move
    from core.placement.rebalance import Level, RebalancePlan
    from core.placement.sandbox import Compared, Sandbox, Situation

_MILESTONES = (0, 1, 2, 3, 5)
"""Numbers of moves whose gain is told; then ten times these, and so on; and the last."""

_HELD = {
    Stays.FOREIGN: "foreign (--foreign moves them)",
    Stays.HOLDS_DEVICES: "with PCI devices (--offline moves them)",
    Stays.NOT_CONNECTED: "on hosts that don't answer",
    Stays.STALE: "on hosts whose data are too old",
    Stays.HOST_DISABLED: "on disabled hosts",
    Stays.REALM_DISABLED: "of disabled realms",
    Stays.UNKNOWN_REALM: "of realms that are not in the configuration",
    Stays.RESERVED: "at work on by somebody",
    Stays.ACTIVE_ELSEWHERE: "active on another host too",
    Stays.STATE: "neither running nor paused",
    Stays.UNKNOWN_DEVICE: "with devices that the profile doesn't list",
}


def print_drain(sandbox: Sandbox, plans: Compared[DrainPlan]) -> None:
    """Print the moves that empty a host, and the VMs that stay."""
    plan = plans.after
    if sandbox.changes:
        what_if(sandbox)
    say_folded(drained(plan))
    if sandbox.changes:
        say_folded(f"Without the changes: {drained(plans.before)}")
    print_moves(plan.moves, with_source=False)
    tell_stuck("Would stay:", plan.stuck)
    if any(each.why == Stays.FOREIGN for each in plan.stuck):
        say("With --foreign those that no realm has made move too")
    if any(each.why == Stays.HOLDS_DEVICES for each in plan.stuck):
        say("With --offline those with PCI devices are shut down, moved and started again")
    if plan.left:
        say()
        say_folded(f"Off, and staying defined there: {', '.join(left.vm.name for left in plan.left)}")
    if plan.pending:
        say()
        say_folded(f"On their way there while this is planned: {', '.join(plan.pending)}")
    tell_silent(sandbox.after.fleet)
    if sandbox.changes:
        keep(sandbox)


def drained(plan: DrainPlan) -> str:
    """Say in a sentence how far a plan empties its host."""
    if plan.unseen:
        seen = f"; {counted(len(plan.stuck), 'VM')} ran there when it was last seen" if plan.stuck else ""
        return f"{plan.unseen}{seen}"
    if not plan.moves and not plan.stuck:
        return f"{plan.host}: no VM is active there, nothing has to move"
    offline = sum(move.offline for move in plan.moves)
    moved = counted(len(plan.moves), "VM") if plan.moves else "no VM"
    moves = f"{moved} would move" + (f", {offline} of them shut down" if offline else "")
    return f"{plan.host}: {moves}; {len(plan.stuck) or 'none'} would stay"


def print_rebalance(sandbox: Sandbox, plans: Compared[RebalancePlan]) -> None:
    """Print the moves that even out a fleet, how far fewer would get, and what was not considered."""
    plan = plans.after
    if sandbox.changes:
        what_if(sandbox)
    say_folded(_balanced(plan))
    if sandbox.changes:
        say_folded(f"Without the changes: {_balanced(plans.before)}")
    if plan.stopped:
        say("Further moves would bring more: --most ended the plan")
    if len(plan.moves) > 1:
        _gains(plan.levels)
    print_moves(plan.moves, with_source=True)
    if plan.moves:
        _by_host(sandbox.after, plan)
    if plan.held:
        say()
        counts = Counter(stuck.why for stuck in plan.held)
        reasons = "; ".join(f"{count} {_HELD.get(Stays(why), why)}" for why, count in counts.most_common())
        say_folded(f"Not considered: {reasons}")
    tell_silent(sandbox.after.fleet)
    if sandbox.changes:
        keep(sandbox)


def _balanced(plan: RebalancePlan) -> str:
    before, after = plan.before, plan.after
    if not plan.moves:
        return "No move: no VM would have a cheaper host" if not plan.stopped else "No move was allowed"
    moves = counted(len(plan.moves), "move")
    if after.highest == INFINITY:
        return f"{moves}; some host stays overcommitted, at an infinite cost"
    digits = decimals(cost for cost in (*before, *after) if cost != INFINITY)
    return (
        f"{moves}: highest cost {_cost(before.highest, digits)} to {_cost(after.highest, digits)}, "
        f"sum {_cost(before.sum, digits)} to {_cost(after.sum, digits)}"
    )


def _cost(cost: float, digits: int) -> str:
    return "infinite" if cost == INFINITY else cost_text(cost, digits)


def _gains(levels: Sequence[Level]) -> None:
    """Print how far so many of the moves would get; nothing where a host is overcommitted all along."""
    if levels[-1].highest == INFINITY:
        return
    last = len(levels) - 1
    shown = {last, *(number for number in _MILESTONES if number <= last)}
    step = 10
    while step <= last:
        shown.update(number * step for number in _MILESTONES if number * step <= last)
        step *= 10
    digits = decimals(cost for level in levels for cost in level if cost != INFINITY)
    say()
    print_table(
        [Column("Moves", right=True), Column("Highest cost", right=True), Column("Sum", right=True)],
        [
            [str(number), _cost(levels[number].highest, digits), _cost(levels[number].sum, digits)]
            for number in sorted(shown)
        ],
    )


def _by_host(situation: Situation, plan: RebalancePlan) -> None:
    """Print what the moves change on each host; in the end also those that stay overcommitted."""
    from core.placement.ledger import Ledger

    ledger = Ledger(situation.configuration, situation.fleet)
    known = [host for host, line in enumerate(ledger.hosts) if line.tariff is not None]
    before = {host: (ledger.hosts[host].cost, ledger.hosts[host].vms) for host in known}
    for move in plan.moves:
        ledger.remove(ledger.index[move.source], move.vm.vcpus, move.vm.memory_bytes, move.vm.devices)
        ledger.take(ledger.index[move.target], move.request)
    after = {host: (ledger.hosts[host].cost, ledger.hosts[host].vms) for host in known}
    changed = {name for move in plan.moves for name in (move.source, move.target)}
    shown = [host for host in known if ledger.hosts[host].name in changed or after[host][0] == INFINITY]
    digits = decimals(cost for host in shown for cost in (before[host][0], after[host][0]) if cost != INFINITY)
    say()
    print_table(
        [Column("Host"), Column("Cost now", right=True), Column("Cost then", right=True), Column("VMs now", right=True),
         Column("VMs then", right=True)],
        [
            [ledger.hosts[host].name, _cost(before[host][0], digits), _cost(after[host][0], digits),
             str(before[host][1]), str(after[host][1])]
            for host in shown
        ],
    )  # fmt: skip


def print_moves(moves: Sequence[Move], *, with_source: bool) -> None:
    """Print moves in their order; nothing where there are none."""
    if not moves:
        return
    digits = decimals(move.cost for move in moves)
    columns = [
        Column("#", right=True),
        Column("VM"),
        *([Column("From")] if with_source else []),
        Column("To"),
        Column("Its cost then", right=True),
        Column("How"),
    ]
    say()
    print_table(
        columns,
        [
            [str(number), move.vm.name, *([move.source] if with_source else []), move.target,
             cost_text(move.cost, digits), _how(move)]
            for number, move in enumerate(moves, 1)
        ],
    )  # fmt: skip


def _how(move: Move) -> str:
    return f"shut down; gets {' '.join(map(str, move.devices))}" if move.offline else "live"
