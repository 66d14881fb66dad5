"""The plans that are moves in an order: a host drained, the fleet evened out, room made for a VM."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.codes import Stays
from core.placement.plans.demand import Stuck
from core.placement.plans.drain import DrainPlan, Move
from core.placement.plans.make_room import DEFAULT_MOST_MOVES, RoomPlan
from core.placement.plans.rebalance import Level, RebalancePlan
from core.text import natural, plural
from core.units import show_size
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.headroom import in_words
from tui.render.figures import cost_text, decimals
from tui.render.plans.sheet import Detail, PlanView, asked_for, said
from tui.render.rows import Column, Measure, Row, RowKey, SortValue

_ARROW = " \N{RIGHTWARDS ARROW} "
_LEVELS = ("highest", "sum")

MOVE_COLUMNS = (
    Column(key="number", title="#", right=True, least=3, letter="O"),
    Column(key="name", title="VM", least=12, most=40, letter="N"),
    Column(key="host", title="FROM", least=5, most=24, letter="F"),
    Column(key="to", title="TO", least=6, most=24, letter="T"),
    Column(key="cost", title="COST", right=True, least=6, letter="C", priority=2),
    Column(key="how", title="HOW", least=7, most=10, whole=True, letter="H", priority=3),
    Column(key="vcpus", title="VCPUS", right=True, least=5, letter="V", ascending=False, priority=5),
    Column(
        key="memory", title="MEMORY", right=True, least=8, letter="M", ascending=False, priority=4, measure=Measure.SIZE
    ),
    Column(key="remark", title="REMARK", least=8, most=200, stretch=True, priority=1),
)
DRAIN_COLUMNS = tuple(replace(each, wide_only=each.key == "host") for each in MOVE_COLUMNS)
"""All leave the same host."""
REBALANCE_COLUMNS = (
    *MOVE_COLUMNS[:-1],
    Column(key="highest", title="HIGHEST", right=True, least=7, letter="G", priority=1),
    Column(key="sum", title="SUM", right=True, least=6, letter="S", priority=1),
    Column(key="remark", title="REMARK", least=8, most=200, stretch=True, priority=6),
)


def drain_sheet(plan: DrainPlan) -> PlanView:
    """Show where the VMs of a host would go, in their order, then those that would stay."""
    moves, stuck = len(plan.moves), len(plan.stuck)
    if not moves and not stuck:
        first = f"{plan.host} runs no VMs: nothing to move"
    elif plan.complete:
        first = f"{plan.host} can be drained: {plural(moves, 'move')}"
    else:
        first = f"{plan.host} can't be fully drained: {plural(stuck, 'VM')} would stay, {moves} can move"
    offline = sum(move.offline for move in plan.moves)
    more = [f"{offline} moved offline (devices)"] if offline else []
    holding = sum(each.why == Stays.HOLDS_DEVICES for each in plan.stuck)
    more += [f"{plural(holding, 'VM')} with devices: press t to include them"] if holding else []
    more += [f"{plural(len(plan.left), 'stopped VM')} stay{'s' * (len(plan.left) == 1)} defined"] if plan.left else []
    more += [f"starting or arriving now: {', '.join(plan.pending)}"] if plan.pending else []
    return _sheet(
        f"Drain {plan.host}",
        said(first, "; ".join(more), tone=Tone.STRONG if plan.complete else Tone.WARN),
        plan.moves,
        (*plan.stuck, *plan.left),
        empty=f"No running VMs on {plan.host}.",
    )


def rebalance_sheet(plan: RebalancePlan) -> PlanView:
    """Show the moves that even out the fleet, with the costs after each, then what was not considered."""
    moves, before, after = len(plan.moves), plan.before, plan.after
    digits = decimals(value for level in plan.levels for value in level)
    first = f"{plural(moves, 'move')}: highest cost {_change(before.highest, after.highest, digits)}"
    first += f", sum {_change(before.sum, after.sum, digits)}"
    if not moves:
        first = f"Already balanced: no move lowers the cost (highest {cost_text(before.highest, digits)})"
    held = f"{plural(len(plan.held), 'VM')} not considered" if plan.held else ""
    stopped = "more moves possible" if plan.stopped else ""
    return _sheet(
        "Rebalance",
        said(first, "; ".join(filter(None, (_most_of_it(plan), held, stopped)))),
        plan.moves,
        plan.held,
        levels=plan.levels,
        empty="No VMs.",
        gain=f"Highest cost {_change(before.highest, after.highest, digits)}.",
    )


def _most_of_it(plan: RebalancePlan) -> str:
    """Return after how many moves the highest cost is down, where that is before the end."""
    if len(plan.moves) < 2:
        return ""
    count = next(index for index, level in enumerate(plan.levels) if level.highest == plan.after.highest)
    if not count:
        return "highest cost unchanged; others are evened out"
    return f"highest cost drops after {plural(count, 'move')}" if count < len(plan.moves) else ""


def room_sheet(plan: RoomPlan) -> PlanView:
    """Show the moves after which a host takes the VM."""
    wanted = asked_for(plan.request)
    heading = f"Make room for {wanted}"
    if plan.host is None:
        first = f"No moves found that make room for {wanted}"
        tried = f"all sets of up to {DEFAULT_MOST_MOVES} moves tried"
        second = tried if plan.exhausted else "search stopped early; not all sets tried"
        return PlanView(heading=heading, said=said(first, second, tone=Tone.WARN), empty="No moves.")
    devices = f" with {_devices(plan)}" if plan.devices else ""
    place = f"at cost {cost_text(plan.cost)}{devices}"
    if not plan.moves:
        first = f"No moves needed: {plan.host} takes {wanted} now, {place}"
        return PlanView(heading=heading, said=said(first), empty="No moves.")
    first = f"{plan.host} takes {wanted} after {plural(len(plan.moves), 'move')}, {place}"
    second = "no plan with fewer moves exists" if plan.smallest else "a plan with fewer moves may exist"
    sheet = _sheet(heading, said(first, second), plan.moves, (), gain=f"Then {plan.host} takes {wanted}.")
    return replace(sheet, request=plan.request)


def _devices(plan: RoomPlan | Move) -> str:
    return " ".join(str(address).removeprefix("0000:") for address in plan.devices)


def _change(before: float, after: float, digits: int) -> str:
    return cost_text(before, digits) + _ARROW + cost_text(after, digits)


def _sheet(
    heading: str,
    above: tuple[Piece, ...],
    moves: Sequence[Move],
    staying: Iterable[Stuck],
    *,
    levels: Sequence[Level] = (),
    empty: str = "",
    gain: str = "",
) -> PlanView:
    staying = tuple(staying)
    digits = decimals([move.cost for move in moves])
    level_digits = decimals(value for level in levels for value in level)
    origins: dict[str, str] = {}
    times: Counter[str] = Counter()  # a VM may move twice; where it is now, and it alone, says which it is
    rows: list[Row] = []
    details: dict[RowKey, Detail] = {}
    for number, move in enumerate(moves, 1):
        origin = origins.setdefault(move.vm.uuid, move.source)
        times[move.vm.uuid] += 1
        key = (origin, move.vm.uuid, times[move.vm.uuid])
        pair = levels[number - 1 : number + 1]
        rows.append(_move_row(key, number, move, digits, pair=pair, level_digits=level_digits))
        details[key] = _move_detail(number, len(moves), move, levels, level_digits)
    for number, stuck in enumerate(staying, len(moves) + 1):
        key = (*stuck.vm.key, 0)
        rows.append(_stuck_row(key, number, stuck, with_levels=bool(levels)))
        title = ((stuck.vm.name, Tone.STRONG), (f"  stays on {stuck.vm.host}", Tone.MUTED))
        details[key] = Detail(title, ((stuck.message, Tone.PLAIN),))
    return PlanView(
        heading=heading, said=above, rows=tuple(rows), details=details, empty=empty, moves=tuple(moves),
        staying=tuple(stuck for stuck in staying if stuck.vm.active), gain=gain,
    )  # fmt: skip


def _move_row(key: RowKey, number: int, move: Move, digits: int, *, pair: Sequence[Level], level_digits: int) -> Row:
    vm = move.vm
    how: Cell = (("offline", Tone.WARN),) if move.offline else "live"
    remark = f"gets {_devices(move)}" if move.devices else ""
    cells: list[Cell] = [str(number), vm.name, move.source, ((move.target, Tone.GOOD),), cost_text(move.cost, digits)]
    cells += [how, str(vm.vcpus), show_size(vm.memory_bytes)]
    order: list[SortValue] = [number, natural(vm.name), natural(move.source), natural(move.target), move.cost]
    order += ["offline" if move.offline else "live", vm.vcpus, vm.memory_bytes]
    if pair:
        before, after = pair
        for was, now in zip(before, after, strict=True):
            falls = Tone.GOOD if now < was else Tone.PLAIN
            cells.append(((cost_text(now, level_digits), falls),))
            order.append(now)
    return Row(key, (*cells, remark), (*order, remark))


def _stuck_row(key: RowKey, number: int, stuck: Stuck, *, with_levels: bool) -> Row:
    vm = stuck.vm
    stays: Cell = (("stays", Tone.WARN if vm.active else Tone.DIM),)
    cells: list[Cell] = ["-", vm.name, vm.host, stays, "-", "-", str(vm.vcpus), show_size(vm.memory_bytes)]
    order: list[SortValue] = [number, natural(vm.name), natural(vm.host), None, None, None, vm.vcpus, vm.memory_bytes]
    if with_levels:
        cells += ["-"] * len(_LEVELS)
        order += [None] * len(_LEVELS)
    return Row(key, (*cells, stuck.message), (*order, stuck.message), dim=not vm.active)


def _move_detail(number: int, of: int, move: Move, levels: Sequence[Level], digits: int) -> Detail:
    vm, request = move.vm, move.request
    title = (
        (f"Move {number} of {of}  ", Tone.MUTED), (vm.name, Tone.STRONG),
        (f"  {move.source}{_ARROW}{move.target}", Tone.MUTED),
    )  # fmt: skip
    paragraphs: list[Piece] = [
        (f"Requests {in_words(request)}; {move.target} then costs {cost_text(move.cost)}", Tone.PLAIN)
    ]
    if move.offline:
        there = f"; gets {_devices(move)} there" if move.devices else ""
        text = f"Holds {' '.join(str(address).removeprefix('0000:') for address in vm.devices)}"
        paragraphs.append((f"{text}: shut down for the move{there}", Tone.WARN))
    if levels:
        start, now = levels[0], levels[number]
        text = f"After {plural(number, 'move')}: highest {_change(start.highest, now.highest, digits)}"
        paragraphs.append((f"{text}, sum {_change(start.sum, now.sum, digits)}", Tone.PLAIN))
    return Detail(title, tuple(paragraphs))
