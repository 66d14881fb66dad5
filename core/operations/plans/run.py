"""A plan being carried out: how each of its moves stands, for a screen and for the journal.

The journal has what was agreed to and what was begun and ended, each on the disk before it is done, so that a run that
was stopped or killed goes on where it was, and never beyond what was agreed to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.errors import UsageError
from core.operations.plans.order import PlanOrder
from core.operations.session import Session
from core.operations.tasks.journal import Journal, JournalEntry, Operation, Record, StillAtWork
from core.placement.plans.drain import Move
from core.text import shell_command

BEGIN, SHUT_DOWN, END = "begin", "shut-down", "end"
"""Steps in the journal: a move is begun, its VM is about to be shut down for it, it has ended."""


class MoveState(StrEnum):
    """How a move of a plan stands."""

    WAITING = "waiting"
    UNDER_WAY = "under-way"
    DONE = "done"
    FAILED = "failed"
    LEFT = "left"
    """Planned anew, it is not made any more."""
    IN_DOUBT = "in-doubt"
    """It is unknown where the VM is: nothing further is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveView:
    """One move that was agreed to, as it stands now. Names are raw; `done` of `total` bytes, total 0: unknown."""

    vm: str
    uuid: str
    source: str
    target: str
    offline: bool = False
    state: MoveState = MoveState.WAITING
    as_agreed: bool = True
    """Whether it goes where it was agreed to."""
    is_off: bool = False
    """Whether its VM was shut down for it and not started again, as far as is known."""
    detail: str = ""
    """What it does now, or what came of it."""
    hint: str = ""
    done: float = 0.0
    total: float = 0.0

    @property
    def fraction(self) -> float | None:
        """Part that is done, between 0 and 1; None while the total is unknown."""
        if self.state is MoveState.DONE:
            return 1.0
        return min(1.0, self.done / self.total) if self.total > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as it stands now; immutable. `id` is that of its journal, empty before it has begun."""

    order: PlanOrder
    moves: tuple[MoveView, ...]
    id: str = ""
    stopping: bool = False
    ended: bool = False

    def count(self, *states: MoveState) -> int:
        """Count the moves in some states."""
        return sum(move.state in states for move in self.moves)

    @property
    def resumable(self) -> bool:
        """Whether it has ended, and a resumed run would have something to do."""
        return self.ended and bool(self.id) and bool(self.count(MoveState.WAITING, MoveState.IN_DOUBT))

    @property
    def summary(self) -> str:
        """Return how far it is in a sentence."""
        words = {
            MoveState.DONE: "moved", MoveState.FAILED: "failed", MoveState.IN_DOUBT: "unknown",
            MoveState.UNDER_WAY: "in progress", MoveState.LEFT: "left", MoveState.WAITING: "not started",
        }  # fmt: skip
        always = (MoveState.DONE, MoveState.FAILED)
        counts = {state: self.count(state) for state in words}
        told = ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state] or state in always)
        return f"{told}; {len(self.moves)} planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedRun:
    """A run that its journal tells of: left behind, or, `at_work`, being carried out by a living program."""

    id: str
    order: PlanOrder
    moves: tuple[MoveView, ...]
    owner: str
    began_at: float
    at_work: bool
    is_unknown: bool = False
    """Whether it may be carried out by a program of another machine, which can't be verified."""

    @property
    def view(self) -> RunView:
        """How far it came."""
        return RunView(order=self.order, moves=self.moves, id=self.id, ended=not self.at_work)


class PlanRun:
    """A run of a plan. `view` is how it stands; may be read and stopped from any thread."""

    def __init__(self, order: PlanOrder, agreed: Sequence[Move]) -> None:
        self.view = RunView(order=order, moves=tuple(_agreed(move) for move in agreed))
        self.resumes: InterruptedRun | None = None
        self.forced = False
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._told: list[Callable[[], None]] = []

    @classmethod
    def resumed(cls, left: InterruptedRun, *, force: bool = False) -> PlanRun:
        """Go on with a run that was left behind: only what it had not ended, and nothing that was not agreed to.

        `force` says that no program of another machine carries it out, where that can't be verified.
        """
        run = cls(left.order, ())
        run.forced = force
        run.view = RunView(order=left.order, moves=left.moves, id=left.id)
        run.resumes = left
        return run

    def stop(self) -> None:
        """Begin no further move; those under way end."""
        self._stop.set()
        self.change(stopping=True)

    @property
    def stop_asked(self) -> bool:
        """Whether no further move is to be begun."""
        return self._stop.is_set()

    def subscribe(self, told: Callable[[], None]) -> None:
        """Have a function called after each change, by the thread that has made it."""
        self._told.append(told)

    def change(self, **changes: Any) -> None:
        """Change the view."""
        with self._lock:
            self.view = replace(self.view, **changes)
        self._tell()

    def change_move(self, number: int, **changes: Any) -> None:
        """Change how one of its moves stands."""
        with self._lock:
            moves = list(self.view.moves)
            moves[number] = replace(moves[number], **changes)
            self.view = replace(self.view, moves=tuple(moves))
        self._tell()

    def _tell(self) -> None:
        for told in self._told:
            told()

    def waiting(self) -> dict[str, int]:
        """Return the number of the next move of each VM that has one waiting, by UUID."""
        found: dict[str, int] = {}
        for number, move in enumerate(self.view.moves):
            if move.state is MoveState.WAITING:
                found.setdefault(move.uuid, number)
        return found


@contextmanager
def in_journal(session: Session, run: PlanRun) -> Iterator[JournalEntry]:
    """Write down a run that begins, or go on with what was written down of one that is resumed.

    Closing the entry forgets the run; else it is left for later at the end of the block. Raises StillAtWork where a
    living program carries out the same plan, UnwritableFile, ReadOnly.
    """
    journal = Journal(session.require_writable().path, session.clock)
    order = run.view.order
    for other in left_runs(session):
        if other.order.goal != order.goal:
            continue
        if other.is_unknown and (run.resumes is None or other.id != run.resumes.id):
            message = f"can't verify that {order.what} isn't being applied by {other.owner}"
            resume = shell_command("realms plan resume", other.id, "--force")
            raise StillAtWork(message, hint=f"{resume}, with --forget to drop it")
        if other.at_work:
            message = f"{order.what} is already being applied by {other.owner}"
            raise StillAtWork(message, hint="wait until it has finished, or stop it there")
    if run.resumes is not None:
        with journal.taking_over(run.resumes.id, force=run.forced) as entry:
            # Since it was read another program may have gone on with it, and ended what still waits here.
            now = next((each for each in left_runs(session) if each.id == entry.id), None)
            if now is not None:
                run.change(moves=now.moves)
            yield entry
        return
    moves = [
        {"vm": move.vm, "uuid": move.uuid, "from": move.source, "to": move.target, "offline": move.offline}
        for move in run.view.moves
    ]
    entry = journal.begin(Operation.PLAN, vm=order.what, uuid="", realm="", order=order.facts(), moves=moves)
    run.change(id=entry.id)
    try:
        yield entry
    finally:
        entry.leave()


def left_runs(session: Session) -> tuple[InterruptedRun, ...]:
    """Read all runs that the journal has, oldest first: those left behind, and those that living programs carry out."""
    if session.registry is None:
        return ()
    records = Journal(session.registry.path, session.clock).records()
    runs = (_left(record) for record in records if record.operation == Operation.PLAN)
    return tuple(run for run in runs if run is not None)


def forget_run(session: Session, identity: str, *, force: bool = False) -> None:
    """Give up a run that was left behind, with `force` also one that may be running. Raises StillAtWork, ReadOnly."""
    with Journal(session.require_writable().path, session.clock).taking_over(identity, force=force) as entry:
        entry.close()


def _agreed(move: Move) -> MoveView:
    return MoveView(vm=move.vm.name, uuid=move.vm.uuid, source=move.source, target=move.target, offline=move.offline)


def _left(record: Record) -> InterruptedRun | None:
    """Read a run; None for one that another version of the program wrote in another way."""
    try:
        order = PlanOrder.of_facts(record.facts["order"])
        moves = [
            MoveView(
                vm=str(row["vm"]), uuid=str(row["uuid"]), source=str(row["from"]), target=str(row["to"]),
                offline=bool(row["offline"]),
            )
            for row in record.facts["moves"]
        ]  # fmt: skip
        for step in record.steps:
            _apply(moves, step)
    except (KeyError, ValueError, TypeError, UsageError):
        return None
    return InterruptedRun(
        id=record.id, order=order, moves=tuple(moves), owner=record.owner, began_at=record.began_at,
        at_work=record.at_work, is_unknown=record.is_unknown,
    )  # fmt: skip


def _apply(moves: list[MoveView], step: Mapping[str, Any]) -> None:
    """Take a step of the journal into account. A move that was begun and has not ended waits to be made again."""
    number = step.get("number")
    if not isinstance(number, int) or not 0 <= number < len(moves):
        return
    move = moves[number]
    match step["step"]:
        case "begin":
            moves[number] = replace(move, as_agreed=step["to"] == move.target, target=str(step["to"]))
        case "shut-down":
            moves[number] = replace(move, is_off=True)
        case "end":
            state = MoveState(step["state"])
            state = MoveState.WAITING if state in (MoveState.UNDER_WAY, MoveState.IN_DOUBT) else state
            moves[number] = replace(
                move, state=state, detail=str(step["message"]), hint=str(step["hint"]), is_off=bool(step["off"])
            )
