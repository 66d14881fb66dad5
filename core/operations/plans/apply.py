"""Carries a plan of moves out: several at once, planned anew before each, stopped, resumed (specification, section 11).

Whatever has happened since it was agreed to, a move is begun only where the plan of that moment has it, for VMs that
were agreed to, and where both hosts have room for it beside all that is under way. What differs is told. A move that
fails is left out from then on; where it is unknown where a VM is, nothing further is begun.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from core.errors import Cancelled, DriverError, RealmsError, UnwritableFile
from core.fleet.fleet import Fleet
from core.operations.migration.cleanup import settle_earlier
from core.operations.migration.location import LocationState
from core.operations.migration.outcome import MigrationFailed
from core.operations.plans.move import LeftShutDown, MoveJob, move_by_shutdown, move_live, start_again
from core.operations.plans.pacing import next_moves
from core.operations.plans.run import BEGIN, END, SHUT_DOWN, MoveState, MoveView, PlanRun, in_journal
from core.operations.session import Session
from core.operations.tasks.journal import Journal, JournalEntry, Operation
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.substeps import as_substep
from core.operations.tasks.task import Control, Progress, Step
from core.placement.plans.drain import Move
from core.text import one_line

LOOK_EVERY = 1.0
"""Seconds between two looks at the fleet while nothing is under way, because other programs' moves hold the hosts."""

PLAN_EVERY = 5.0
"""Seconds between two plans while moves are under way and none ends: a large fleet's plan takes a while."""

SETTLE_WITHIN = 60.0
"""Seconds that libvirt has to clean up a migration whose program was killed."""

MOST_IN_ALL = 16
"""Moves under way at once, however many hosts there are: each has connections and threads of this program."""

MOST_NAMED = 5
"""VMs that are named in a warning about several."""

_IN_DOUBT = (LocationState.UNKNOWN, LocationState.BOTH, LocationState.NOWHERE)


@dataclass(frozen=True, slots=True)
class _Ended:
    number: int
    state: MoveState
    message: str
    hint: str = ""
    is_off: bool = False


def apply_plan(control: Control, session: Session, run: PlanRun, *, deadline: float) -> str:
    """Make the moves that a run has waiting, never others, and say how many were made.

    Connecting to each host may take `deadline` seconds. A move that fails is in the run's view, and no error here.
    Raises Cancelled: what was under way is called off then; StillAtWork, UnwritableFile, ReadOnly.
    """
    run.subscribe(session.tasks.tell)
    try:
        with in_journal(session, run) as entry, _whole(control, run):
            PlanRunner(control, session, run, entry, deadline).work()
            if not run.view.count(MoveState.WAITING, MoveState.IN_DOUBT):
                entry.close()
    finally:
        run.change(ended=True)
    if control.cancel_asked.is_set() and run.view.resumable:
        raise Cancelled(f"{run.view.order.what} was interrupted: {run.view.summary}")
    return run.view.summary


@contextmanager
def _whole(control: Control, run: PlanRun) -> Iterator[None]:
    """Show all of a run as one step: how many of its moves have ended, and at its end how well."""
    steps, ended = control.steps, Progress.FAILED
    index = steps.begin(Step(StepKind.RUN, run.view.order.what))

    def count() -> None:
        view = run.view
        done = len(view.moves) - view.count(MoveState.WAITING, MoveState.UNDER_WAY)
        steps.update_step(index, done=done, total=len(view.moves), unit="moves")

    run.subscribe(count)
    try:
        yield
        if not run.view.count(MoveState.FAILED, MoveState.IN_DOUBT):
            ended = Progress.CANCELLED if run.view.count(MoveState.WAITING) else Progress.DONE
    finally:
        steps.settle_step(index, ended, run.view.summary)


class PlanRunner:
    """The run as its task's thread sees it; each move has a thread of its own, and tells it when it has ended."""

    def __init__(self, control: Control, session: Session, run: PlanRun, entry: JournalEntry, deadline: float) -> None:
        self._control = control
        self._session = session
        self._run = run
        self._entry = entry
        self._deadline = deadline
        self._order = run.view.order
        self._under_way: dict[int, Move] = {}
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._unwritten: UnwritableFile | None = None
        """Why the journal can't be written any more: nothing further is begun then."""
        self._warnings: dict[str, list[str]] = {}
        """Names of the VMs, by what is to be known about their moves."""

    def work(self) -> None:
        """Make the moves; ends when nothing is under way and nothing can begin."""
        try:
            if self._run.resumes is not None:
                self._settle_earlier()
            while True:
                begun = self._goes_on and self._begin()
                if not self._under_way and not begun:
                    break
                self._take(PLAN_EVERY if self._under_way else LOOK_EVERY)
        finally:  # whatever went wrong, nothing is left to itself
            while self._under_way:
                self._take(LOOK_EVERY)
            for text, names in self._warnings.items():
                more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
                self._control.warn(f"{', '.join(names[:MOST_NAMED])}{more}: {text}")
        if self._unwritten is not None:
            raise self._unwritten

    @property
    def _goes_on(self) -> bool:
        asked_to_end = self._run.stop_asked or self._control.cancel_asked.is_set()
        return not asked_to_end and self._unwritten is None and not self._run.view.count(MoveState.IN_DOUBT)

    # Choosing ------------------------------------------------------------------------------------------------------

    def _fleet(self) -> Fleet:
        """Return the fleet with the reservations of this very moment, those of other programs too."""
        seen = self._session.fleet()
        reservations = self._session.require_writable().reservations()
        return Fleet(
            seen.taken,
            tuple(
                replace(
                    snapshot, reservations=tuple(each for each in reservations if each.host == snapshot.name)
                )
                for snapshot in seen.hosts
            ),
        )  # fmt: skip

    def _begin(self) -> bool:
        """Begin what can begin now; says whether there is, or will be, anything to do."""
        waiting = self._run.waiting()
        if not waiting:
            return False
        configuration, fleet = self._session.configuration, self._fleet()
        under_way = tuple(self._under_way.values())
        busy = self._others_at_work()
        choice = next_moves(
            configuration,
            fleet,
            self._order.moves,
            waiting=waiting,
            under_way=under_way,
            parallel=self._order.parallel,
            busy=busy,
        )
        for move in choice.begun[: MOST_IN_ALL - len(under_way)]:
            if move.vm.uuid in waiting:
                self._start(waiting[move.vm.uuid], move, fleet)
        if self._under_way:
            return True
        if choice.planned and busy:
            return True  # another program's moves hold the hosts
        if any(each.uuid in waiting and not each.owner for host in fleet.hosts for each in host.reservations):
            return True  # it has just moved, and may move on as soon as every program has seen that
        self._leave(waiting, fleet)
        return False

    def _others_at_work(self) -> Counter[str]:
        """Count the migrations that other programs, or other tasks, have under way, by host."""
        own = {move.vm.uuid for move in self._under_way.values()}
        journal = Journal(self._session.require_writable().path, self._session.clock)
        return Counter(
            str(record.facts.get(side))
            for record in journal.records()
            if record.operation == Operation.MIGRATE and record.at_work and record.uuid not in own
            for side in ("host", "target")
        )

    def _leave(self, waiting: dict[str, int], fleet: Fleet) -> None:
        """Note of each VM that is not moved any more why that is so."""
        staying = self._order.staying(self._session.configuration, fleet)
        stuck = {each.vm.uuid: each.message for each in staying}
        for uuid, number in waiting.items():
            move = self._run.view.moves[number]
            on = [host.name for host in fleet.hosts for vm in host.vms if vm.uuid == uuid and vm.active]
            if on == [move.target]:
                ended = _Ended(number, MoveState.DONE, f"it is already on {move.target}")
            elif on != [move.source]:
                words = f"it is now on {' and '.join(on)}" if on else "it is off or was deleted"
                ended = _Ended(number, MoveState.LEFT, words)
            else:
                ended = _Ended(number, MoveState.LEFT, stuck.get(uuid, "after replanning, it stays where it is"))
            self._conclude(ended)

    # Moving --------------------------------------------------------------------------------------------------------

    def _start(self, number: int, move: Move, fleet: Fleet) -> None:
        agreed = self._run.view.moves[number]
        as_agreed = (agreed.source, agreed.target) == (move.source, move.target)
        if not as_agreed and agreed.as_agreed:
            self._control.warn(
                f"the fleet has changed: {one_line(move.vm.name)} goes to {one_line(move.target)} instead of "
                f"{one_line(agreed.vm)} to {one_line(agreed.target)}"
            )
        self._entry.step(BEGIN, number=number, uuid=move.vm.uuid, host=move.source, to=move.target)
        self._run.change_move(
            number, state=MoveState.UNDER_WAY, as_agreed=agreed.as_agreed and as_agreed, source=move.source,
            target=move.target, offline=move.offline, detail="", hint="", done=0.0, total=0.0,
        )  # fmt: skip
        self._under_way[number] = move
        errand = MoveJob(
            session=self._session,
            fleet=fleet,
            move=move,
            foreign=self._order.policy.foreign,
            bandwidth=self._order.bandwidth,
            deadline=self._deadline,
        )
        mover = threading.Thread(
            target=self._make, args=(number, errand), name=f"move {one_line(move.vm.name)}", daemon=True
        )
        try:
            mover.start()
        except RuntimeError as error:  # the system has no thread left: nobody would ever tell that it has ended
            self._ended.put(_Ended(number, MoveState.FAILED, f"it could not start: {error}"))

    def _make(self, number: int, errand: MoveJob) -> None:
        ended = _Ended(number, MoveState.IN_DOUBT, "internal error: run again with REALMS_TRACEBACK=1")
        try:
            ended = self._moved(number, errand)
        finally:  # a defect goes to the thread's hook, and nobody waits forever
            self._ended.put(ended)

    def _moved(self, number: int, errand: MoveJob) -> _Ended:
        move, branch = errand.move, self._control.branch()
        name = one_line(move.vm.name)

        def saw(words: str, done: float, total: float) -> None:
            self._run.change_move(number, detail=words, done=done, total=total)

        def warns(text: str) -> None:
            self._warnings.setdefault(text, []).append(name)

        def shut_down() -> None:
            self._entry.step(SHUT_DOWN, number=number, host=move.source)
            self._run.change_move(number, is_off=True)

        try:
            with branch.step(
                StepKind.MOVE, f"move {name} to {one_line(move.target)}", move.source, vm=move.vm.name, to=move.target
            ) as step:
                inner = as_substep(step, saw, warns)
                try:
                    if move.offline:
                        finishing = as_substep(step, saw, warns, unstoppable=True)
                        message = move_by_shutdown(inner, errand, finishing, shut_down)
                    else:
                        message = move_live(inner, errand)
                except BaseException:
                    inner.undo_all()
                    raise
                step.detail(message)
        except Cancelled as error:
            return _Ended(number, MoveState.WAITING, error.message)
        except RealmsError as error:
            cause = error.reason if isinstance(error, LeftShutDown) else error
            doubtful = isinstance(cause, MigrationFailed) and cause.whereabouts.place in _IN_DOUBT
            state = MoveState.IN_DOUBT if doubtful else MoveState.FAILED
            return _Ended(number, state, error.message, error.hint, is_off=isinstance(error, LeftShutDown))
        return _Ended(number, MoveState.DONE, message)

    def _take(self, seconds: float) -> None:
        """Note what has ended, after waiting for it at most so long."""
        try:
            ended = self._ended.get(timeout=seconds)
        except Empty:
            return
        self._under_way.pop(ended.number, None)
        self._conclude(ended)

    def _conclude(self, ended: _Ended) -> None:
        self._run.change_move(
            ended.number, state=ended.state, detail=ended.message, hint=ended.hint, is_off=ended.is_off
        )
        if ended.state in (MoveState.FAILED, MoveState.LEFT):
            again = self._run.waiting().get(self._run.view.moves[ended.number].uuid)
            if again is not None:
                self._conclude(_Ended(again, MoveState.LEFT, "its previous move was not made"))
        if ended.state is MoveState.IN_DOUBT:
            self._control.warn("no more moves until the VM's location is known")
        try:
            self._entry.step(
                END, number=ended.number, state=ended.state.value, message=ended.message, hint=ended.hint,
                off=ended.is_off,
            )  # fmt: skip
        except UnwritableFile as error:  # what else is under way still ends
            self._unwritten = error

    # Going on after a break ----------------------------------------------------------------------------------------

    def _settle_earlier(self) -> None:
        """Put in order what the run left when it was broken off: migrations half done, VMs that were shut down."""
        for number, move in enumerate(self._run.view.moves):
            if move.state is not MoveState.WAITING:
                continue
            try:
                self._settle(move)
                if move.is_off:
                    with self._control.step(
                        StepKind.START, f"start {one_line(move.vm)} again: it was shut down for its move", vm=move.vm
                    ) as step:
                        step.detail(start_again(self._control.branch(), self._session, move.uuid, None))
                    self._run.change_move(number, is_off=False)
            except Cancelled:
                raise
            except LeftShutDown as error:
                self._conclude(_Ended(number, MoveState.FAILED, error.message, error.hint, is_off=True))
            except RealmsError as error:
                self._conclude(_Ended(number, MoveState.IN_DOUBT, error.message, error.hint))
                return

    def _settle(self, move: MoveView) -> None:
        until = self._session.clock.monotonic() + SETTLE_WITHIN
        while True:
            try:
                settle_earlier(self._session, self._control, move.uuid)
            except DriverError:
                if self._session.clock.monotonic() > until:
                    raise
                self._control.wait(LOOK_EVERY)
            else:
                return
