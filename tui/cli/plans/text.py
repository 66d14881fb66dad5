"""Plans of moves for people: the steps, what stays and why, what it brings."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.codes import Stays
from core.curves import INFINITY
from core.operations.plans.order import MovesPlan
from core.placement.plans.drain import DrainPlan, Move
from core.placement.plans.make_room import RoomPlan
from core.placement.plans.rebalance import Level, RebalancePlan
from core.placement.what_if.sandbox import Compared, Sandbox, Situation
from core.text import plural
from core.units import show_size
from tui.cli.output import headings, print_table, say, say_folded
from tui.cli.placement.text import describe
from tui.cli.placement.what_if_text import in_thought
from tui.cli.plans.options import tell_stuck
from tui.render.figures import cost_text, decimals

_MILESTONES = (0, 1, 2, 3, 5)
"""Numbers of moves whose gain is told; then ten times these, and so on; and the last."""

_HELD = {
    Stays.FOREIGN: "foreign (--foreign moves them)",
    Stays.HOLDS_DEVICES: "with PCI devices (--with-devices moves them)",
    Stays.NOT_CONNECTED: "on hosts that don't answer",
    Stays.STALE: "on hosts with outdated data",
    Stays.HOST_DISABLED: "on disabled hosts",
    Stays.REALM_DISABLED: "of disabled realms",
    Stays.UNKNOWN_REALM: "of realms that are not in the configuration",
    Stays.RESERVED: "reserved",
    Stays.ACTIVE_ELSEWHERE: "also active on another host",
    Stays.STATE: "neither running nor paused",
    Stays.UNKNOWN_DEVICE: "with devices that the profile does not list",
}


def print_plan(sandbox: Sandbox, plans: Compared[MovesPlan]) -> None:
    """Print the moves of a plan and what comes of them, and the VMs that stay."""
    plan = plans.after
    with in_thought(sandbox):
        say_folded(sentence(plan))
        if sandbox.changes:
            say_folded(f"Without the changes: {sentence(plans.before)}")
        match plan:
            case DrainPlan():
                _print_drain(plan)
            case RebalancePlan():
                _print_rebalance(plan, sandbox.after)
            case RoomPlan():
                _print_moves(plan.moves, with_source=True)


def sentence(plan: MovesPlan) -> str:
    """Return in a sentence what a plan brings."""
    match plan:
        case DrainPlan():
            return _drained(plan)
        case RebalancePlan():
            return _balanced(plan)
        case RoomPlan():
            return _roomy(plan)


def is_found(plan: MovesPlan) -> bool:
    """Whether the answer is yes: the host can be emptied, room can be made; evening out always can."""
    match plan:
        case DrainPlan():
            return plan.complete
        case RebalancePlan():
            return True
        case RoomPlan():
            return plan.host is not None


def _print_drain(plan: DrainPlan) -> None:
    _print_moves(plan.moves, with_source=False)
    tell_stuck("Would stay:", plan.stuck)
    if any(each.why == Stays.FOREIGN for each in plan.stuck):
        say("Use --foreign to also move foreign VMs")
    if any(each.why == Stays.HOLDS_DEVICES for each in plan.stuck):
        say("Use --with-devices to also move VMs with PCI devices: they are shut down, moved and restarted")
    if plan.left:
        say()
        say_folded(f"Off, stay defined there: {', '.join(left.vm.name for left in plan.left)}")
    if plan.pending:
        say()
        say_folded(f"Currently being moved there: {', '.join(plan.pending)}")


def _drained(plan: DrainPlan) -> str:
    if plan.unseen:
        seen = f"; {plural(len(plan.stuck), 'VM')} ran there when last seen" if plan.stuck else ""
        return f"{plan.unseen}{seen}"
    if not plan.moves and not plan.stuck:
        return f"{plan.host}: no active VMs, nothing to move"
    offline = sum(move.offline for move in plan.moves)
    moved = plural(len(plan.moves), "VM") if plan.moves else "no VM"
    moves = f"{moved} would move" + (f", {offline} of them shut down" if offline else "")
    return f"{plan.host}: {moves}; {len(plan.stuck) or 'none'} would stay"


def _print_rebalance(plan: RebalancePlan, situation: Situation) -> None:
    if plan.stopped:
        say("More moves would gain more: limited by --most")
    if len(plan.moves) > 1:
        _gains(plan.levels)
    _print_moves(plan.moves, with_source=True)
    if plan.moves:
        _by_host(situation, plan)
    if plan.held:
        say()
        counts = Counter(stuck.why for stuck in plan.held)
        reasons = "; ".join(f"{count} {_HELD.get(Stays(why), why)}" for why, count in counts.most_common())
        say_folded(f"Not considered: {reasons}")


def _balanced(plan: RebalancePlan) -> str:
    before, after = plan.before, plan.after
    if not plan.moves:
        return "No moves: no VM has a cheaper host" if not plan.stopped else "No moves allowed"
    moves = plural(len(plan.moves), "move")
    if after.highest == INFINITY:
        return f"{moves}; a host stays overcommitted, at an infinite cost"
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
        headings(">Moves", ">Highest cost", ">Sum"),
        [
            [str(number), _cost(levels[number].highest, digits), _cost(levels[number].sum, digits)]
            for number in sorted(shown)
        ],
    )


def _by_host(situation: Situation, plan: RebalancePlan) -> None:
    """Print what the moves change on each host; in the end also those that stay overcommitted."""
    from core.placement.engine.ledger import Ledger

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
        headings("Host", ">Cost now", ">Cost after", ">VMs now", ">VMs after"),
        [
            [ledger.hosts[host].name, _cost(before[host][0], digits), _cost(after[host][0], digits),
             str(before[host][1]), str(after[host][1])]
            for host in shown
        ],
    )  # fmt: skip


def _roomy(plan: RoomPlan) -> str:
    vm = describe(plan.request)
    if plan.host is None:
        tried = "all within --most were tried" if plan.exhausted else "the search ended before all were tried"
        return f"{vm}: no moves found that make room; {tried}"
    devices = f", with {' '.join(map(str, plan.devices))}" if plan.devices else ""
    cost = cost_text(plan.cost, decimals((plan.cost,)))
    if not plan.moves:
        return f"{vm}: {plan.host} can take it now, at a cost of {cost}{devices}"
    fewest = ", and fewer are not enough" if plan.smallest else ""
    moves = plural(len(plan.moves), "move")
    return f"{vm}: {plan.host} can take it after {moves}, at a cost of {cost}{devices}{fewest}"


def _print_moves(moves: Sequence[Move], *, with_source: bool) -> None:
    if not moves:
        return
    digits = decimals(move.cost for move in moves)
    say()
    print_table(
        headings(">#", "VM", *(["From"] if with_source else []), "To", ">Cost after", "How"),
        [
            [str(number), move.vm.name, *([move.source] if with_source else []), move.target,
             cost_text(move.cost, digits), _how(move)]
            for number, move in enumerate(moves, 1)
        ],
    )  # fmt: skip


def _how(move: Move) -> str:
    return f"shut down; gets {' '.join(map(str, move.devices))}" if move.offline else "live"


def left_in_words(left: Mapping[str, int]) -> str:
    """Write what the other limits strand, as `8 vCPUs, 26 GiB`."""
    words = []
    for attribute, amount in left.items():
        if attribute == "memory":
            words.append(show_size(amount))
        elif attribute in ("vms", "vcpus"):
            words.append(plural(amount, {"vms": "VM", "vcpus": "vCPU"}[attribute]))
        else:
            words.append(f"{amount} {attribute.removeprefix('devices.')}")
    return ", ".join(words) or "-"
