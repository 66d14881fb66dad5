"""Carries out a plan of moves: live migrations one after another, planned anew before each.

Whatever has happened since, a move is made only where the plan of that moment has it: what differs from what was
agreed to is told. One that fails is left out from then on; where nobody knows where a VM is, nothing further is begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Cancelled, RealmsError
from core.operations.migrate import MigrationFailed, migrate
from core.operations.migration_plan import Departure, plan_migration
from core.operations.migration_wish import MigrationWish
from core.operations.whereabouts import Place
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.fleet import Fleet
    from core.operations.tasks import Control
    from core.operations.workplace import Workplace
    from core.placement.drain import Move

    Planner = Callable[[Fleet], Sequence[Move]]

_IN_DOUBT = (Place.UNKNOWN, Place.BOTH, Place.NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of one move; `as_agreed` says whether it was the next of those that were agreed to."""

    move: Move
    as_agreed: bool
    message: str
    error: RealmsError | None = None


def carry_out(
    control: Control,
    workplace: Workplace,
    planner: Planner,
    agreed: Sequence[Move],
    carried: list[Carried],
    *,
    foreign: bool,
    deadline: float,
) -> None:
    """Make the moves, at most as many as were agreed to, and add what came of each to `carried`.

    Connecting to each host may take `deadline` seconds. Raises Cancelled: the running move is called off then, and
    those before it stand.
    """
    expected = list(agreed)
    left_out: set[str] = set()
    for number in range(1, len(agreed) + 1):
        control.check()
        fleet = workplace.fleet()
        moves = [move for move in planner(fleet) if move.vm.uuid not in left_out]
        expected = [move for move in expected if move.vm.uuid not in left_out]
        if not moves:
            return
        move = moves[0]
        as_agreed = bool(expected) and _same(move, expected[0])
        if not as_agreed:
            control.warn(_otherwise(move, expected))
        expected = moves[1:]
        done = _make(control, workplace, fleet, move, number, as_agreed=as_agreed, foreign=foreign, deadline=deadline)
        carried.append(done)
        if done.error is not None:
            left_out.add(move.vm.uuid)
            if isinstance(done.error, MigrationFailed) and done.error.whereabouts.place in _IN_DOUBT:
                control.warn("nothing further is moved until it is known where the VM is")
                return


def _same(move: Move, other: Move) -> bool:
    return (move.vm.key, move.target) == (other.vm.key, other.target)


def _otherwise(move: Move, expected: Sequence[Move]) -> str:
    now = f"{one_line(move.vm.name)} goes to {one_line(move.target)} now"
    if not expected:
        return f"the fleet has changed: {now}, which was not in the plan"
    return (
        f"the fleet has changed: {now}; planned was {one_line(expected[0].vm.name)} to {one_line(expected[0].target)}"
    )


def _make(
    control: Control,
    workplace: Workplace,
    fleet: Fleet,
    move: Move,
    number: int,
    *,
    as_agreed: bool,
    foreign: bool,
    deadline: float,
) -> Carried:
    snapshot = fleet.host(move.source)
    if snapshot is None:
        raise AssertionError(move.source)
    branch = control.branch()
    try:
        with control.step(f"move {number}: {one_line(move.vm.name)} to {move.target}", move.source) as step:
            wish = MigrationWish(to=move.target, foreign=foreign)
            plan = plan_migration(branch, workplace, Departure(fleet, snapshot, move.vm), wish, deadline=deadline)
            moved = migrate(branch, workplace, plan)
            step.detail(moved.whereabouts.message)
    except Cancelled:
        branch.undo_all()
        raise
    except RealmsError as error:
        branch.undo_all()
        return Carried(move=move, as_agreed=as_agreed, message=error.message, error=error)
    return Carried(move=move, as_agreed=as_agreed, message=moved.whereabouts.message)
