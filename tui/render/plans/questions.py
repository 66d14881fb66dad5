"""What carrying a plan out will do, said before it is done: which VMs go where, which stay, and what to know first."""

from collections.abc import Sequence

from core.fleet.fleet import HostSnapshot
from core.hosts import HostState
from core.operations.plans.order import PlanOrder
from core.operations.plans.run import InterruptedRun, MoveState, RunView
from core.placement.plans.demand import Stuck
from core.placement.plans.drain import Move
from core.text import one_line, plural
from core.units import show_size
from tui.render.cells import Tone
from tui.render.plans.progress import capital, order_in_words, remark_of
from tui.render.plans.sheet import PlanView
from tui.render.question import Line, Question

MOST_MOVES, MOST_STAYING = 8, 3
"""Moves, and VMs that stay, that a dialog names one by one; the rest are counted."""

_REASON = 56
"""Characters of a reason in a dialog; the table has all of it."""

_ARROW = " \N{RIGHTWARDS ARROW} "
_TEST = "test:"
_NO_MIGRATION = "libvirt's test driver can't migrate: every live move will fail."
_PLANNED_ANEW = "Each move is checked against the current fleet first. You can stop and resume."
_OFFLINE = "VMs that move offline are shut down, moved and started again."
_FOREIGN = "Includes unmanaged VMs: not created by the realm, others may rely on their location."


def ask_apply(order: PlanOrder, sheet: PlanView, hosts: Sequence[HostSnapshot]) -> Question:
    """Ask before a plan of moves is carried out; for a host its name must be typed, for several VMs their number."""
    moves, staying = sheet.moves, sheet.staying
    count = plural(len(moves), "VM")
    title = f"Drain {order.host}: move {count}?" if order.host else f"{capital(order.what)}: move {count}?"
    uris = {snapshot.name: snapshot.host.uri for snapshot in hosts}
    lines: list[Line] = []
    if any(uris.get(name, "").startswith(_TEST) for move in moves for name in (move.source, move.target)):
        lines.append(((_NO_MIGRATION, Tone.WARN),))
    if any(not move.vm.managed for move in moves):
        lines.append(((_FOREIGN, Tone.WARN),))
    if any(move.offline for move in moves):
        lines.append(((_OFFLINE, Tone.WARN),))
    if staying:
        lines.append(_staying_line(staying))
    if lines:
        lines.append(())
    lines += [_move_line(move) for move in moves[:MOST_MOVES]]
    if len(moves) > MOST_MOVES:
        rest = moves[MOST_MOVES:]
        offline = sum(move.offline for move in rest)
        told = f", {offline} of them offline" if offline else ""
        lines.append(((f"and {plural(len(rest), 'more move')}{told}", Tone.PLAIN),))
    if sheet.gain:
        lines.append(((sheet.gain, Tone.STRONG),))
    lines += [(), *_reasons(staying), ((_PLANNED_ANEW, Tone.MUTED),)]
    return Question(title, tuple(lines), "Move", destructive=True, to_type=_to_type(order, moves))


def _to_type(order: PlanOrder, moves: Sequence[Move]) -> str:
    if order.host:
        return order.host
    return f"{len(moves)} VMs" if len(moves) > 1 else ""


def _move_line(move: Move) -> Line:
    vm = move.vm
    line: Line = (
        (vm.name, Tone.STRONG),
        (f"  {move.source}{_ARROW}{move.target}  {show_size(vm.memory_bytes)}", Tone.PLAIN),
    )
    if move.offline:
        line = (*line, ("  offline", Tone.WARN))
    return (*line, ("  unmanaged", Tone.WARN)) if not vm.managed else line


def _staying_line(staying: Sequence[Stuck]) -> Line:
    count = len(staying)
    named = [stuck.vm.name for stuck in staying[:MOST_STAYING]]
    more = f" and {count - MOST_STAYING} more" if count > MOST_STAYING else ""
    verb = "stays" if count == 1 else "stay"
    return ((f"{plural(count, 'VM')} can't move and {verb}: {', '.join(named)}{more}", Tone.WARN),)


def _reasons(staying: Sequence[Stuck]) -> list[Line]:
    lines: list[Line] = [
        ((stuck.vm.name, Tone.STRONG), (f"  {one_line(stuck.message, _REASON)}", Tone.MUTED))
        for stuck in staying[:MOST_STAYING]
    ]
    return [*lines, ()] if lines else lines


def can_cordon(snapshot: HostSnapshot | None) -> bool:
    """Return whether a host that is drained takes new VMs meanwhile, which No Scheduling would end."""
    return snapshot is not None and snapshot.host.state is HostState.ENABLED


def ask_policy() -> Question:
    """Ask which VMs a plan may move besides those that the realm made and that hold no devices."""
    lines: tuple[Line, ...] = ((("The plan moves managed VMs without devices. Also include:", Tone.PLAIN),), ())
    return Question("Which VMs may move?", lines, "Plan")


def ask_stop(view: RunView) -> Question:
    """Ask before a plan that is carried out is stopped."""
    lines: list[Line] = []
    for move in view.moves:
        if move.state is MoveState.UNDER_WAY:
            fraction = move.fraction
            far = "" if fraction is None else f"  {100 * fraction:.0f} %"
            lines.append(
                ((move.vm, Tone.STRONG), (f"  {move.source}{_ARROW}{move.target}{far}", Tone.PLAIN))
            )  # fmt: skip
    waiting = view.count(MoveState.WAITING)
    told = f"No new moves start: {plural(waiting, 'VM')} not moved yet. Moved VMs stay on their new hosts."
    lines += [(), ((told, Tone.PLAIN),), (("You can resume it later, also in another session.", Tone.MUTED),)]
    title = f"Stop {order_in_words(view.order)}?"
    return Question(title, tuple(lines), "Stop", destructive=True, otherwise="Keep moving")


def ask_resume(left: InterruptedRun) -> Question:
    """Ask before a plan that was stopped is gone on with."""
    view = left.view
    waiting = [move for move in left.moves if move.state is MoveState.WAITING]
    lines: list[Line] = [
        ((f"{view.summary}. Remaining:", Tone.PLAIN),),
        *(
            ((move.vm, Tone.STRONG), (f"  {move.source}{_ARROW}{move.target}", Tone.PLAIN),
             *((("  offline", Tone.WARN),) if move.offline else ()))
            for move in waiting[:MOST_MOVES]
        ),
    ]  # fmt: skip
    if len(waiting) > MOST_MOVES:
        lines.append(((f"and {len(waiting) - MOST_MOVES} more", Tone.PLAIN),))
    lines += [
        ((move.vm, Tone.STRONG), (f"  not retried: {remark_of(move)}", Tone.WARN))
        for move in left.moves
        if move.state in (MoveState.FAILED, MoveState.IN_DOUBT)
    ]
    policy = left.order.policy
    if policy.foreign or policy.with_devices:
        terms = [
            *(["unmanaged VMs included"] if policy.foreign else []),
            *(["VMs with devices are moved offline"] if policy.with_devices else []),
        ]
        lines.append(((f"Options: {'; '.join(terms)}.", Tone.WARN),))
    lines += [(), ((_PLANNED_ANEW, Tone.MUTED),)]
    title = f"Resume {order_in_words(left.order)}?"
    return Question(title, tuple(lines), "Resume", destructive=True)
