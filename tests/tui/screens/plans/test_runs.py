"""Plans that are carried out and those that were left, known without any screen: from a real journal and real tasks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from core.errors import RealmsError
from core.operations.plans.order import MovesKind as OrderKind
from core.operations.plans.order import PlanOrder
from core.operations.plans.run import MoveState, PlanRun, forget_run, in_journal, left_runs
from tests.driver.worlds import LONG
from tests.tui import world
from tests.tui.screens.plans.plans_world import (
    DRAIN_H2,
    Held,
    be_stopped,
    be_under_way,
    leave_behind,
    run_of,
    small_fleet,
)
from tui.render.cells import Tone, plain
from tui.render.plans.sheet import PlanKind
from tui.screens.plans.runs import PlanRuns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.operations.tasks.task import Control, Task, TaskView
    from tui.screens.plans.runs import AppliedPlan

DRAIN_H1 = PlanOrder(kind=OrderKind.DRAIN, host="h1")
H1, H2, REBALANCE = ("drain", "h1"), ("drain", "h2"), ("rebalance", "")


class Stage:
    """A session that stands still, the runs begun in it, and the tasks that carry them out until they are let go."""

    def __init__(self, folder: Path) -> None:
        self.session = world.standing(folder, small_fleet())
        self.runs = PlanRuns(self._view)
        self._held: dict[int, tuple[Held, Task[str]]] = {}

    def _view(self, number: int) -> TaskView | None:
        return next((view for view in self.session.tasks.views() if view.id == number), None)

    def begin(self, order: PlanOrder = DRAIN_H2, run: PlanRun | None = None) -> AppliedPlan:
        """Begin a plan whose task works until it is let go."""
        run, held = run or run_of(self.session, order), Held()
        task = self.session.tasks.run("drain", order.host, held)
        self._held[task.view.id] = (held, task)
        self.runs.begin(run, task.view.id, self.session.clock.now())
        course = self.runs.course((order.kind.value, order.host))
        assert course is not None
        return course

    def end(self, course: AppliedPlan) -> None:
        """Let a task come to its end."""
        held, task = self._held[course.task]
        held.go_on.set()
        task.outcome.exception(LONG)

    def close(self) -> None:
        """Let all tasks go."""
        for held, _ in self._held.values():
            held.go_on.set()

    def read(self) -> tuple[str, ...]:
        """Read the journal; gives which runs it tells of."""
        self.runs.take_left(left_runs(self.session))
        return tuple(left.id for left in left_runs(self.session))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage; its tasks end with the test."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_run_is_in_front_until_it_is_put_away_after_its_end(stage: Stage) -> None:
    """As its moves stand, and for how long."""
    assert stage.runs.course(H2) is None
    course = stage.begin()
    runs, run = stage.runs, course.run
    assert runs.under_way == [course]
    assert runs.sheet(course).heading == "Drain h2: running"
    first = run.view.moves[0]
    row = ("h2", first.uuid, 1)
    assert course.moved_to(row) == ""
    be_under_way(run)
    assert course.moved_to(row) == first.target
    assert course.moved_to(("h2", "another", 1)) == ""
    assert runs.sheet(course).said[0][0] == "1 of 5 VMs moved, 1 failed, 2 moving, 1 waiting"
    began = stage.session.clock.now()
    assert runs.note(course, began + 90) == f"for 1 m, task {course.task} in Tasks (6)"
    runs.put_away(H2)
    assert runs.course(H2) is course
    assert not runs.some_ended()
    stage.end(course)
    assert runs.under_way == []
    assert runs.some_ended()
    assert not runs.some_ended()
    assert runs.note(course, began).startswith("took ")
    runs.put_away(H2)
    assert runs.course(H2) is None


def test_a_task_that_failed_says_why(stage: Stage) -> None:
    """Above the moves, which are not begun."""

    def refuse(_: Control) -> str:
        raise RealmsError("h2 doesn't answer", hint="look at it")

    run, task = run_of(stage.session), stage.session.tasks.run("drain", "h2", refuse)
    task.outcome.exception(LONG)
    run.change(ended=True)
    stage.runs.begin(run, task.view.id, 0.0)
    course = stage.runs.course(H2)
    assert course is not None
    assert stage.runs.sheet(course).said[1] == ("h2 doesn't answer (look at it)", Tone.BAD)


def test_a_plan_that_is_called_off_says_so(stage: Stage) -> None:
    """Until its task has ended."""
    go_on = threading.Event()
    task = stage.session.tasks.run("drain", "h2", lambda _: go_on.wait(LONG))
    stage.runs.begin(run_of(stage.session), task.view.id, stage.session.clock.now())
    course = stage.runs.course(H2)
    assert course is not None
    stage.session.tasks.cancel(task.view.id)
    now = stage.session.clock.now()
    assert stage.runs.note(course, now) == "cancelling running moves"
    go_on.set()
    task.outcome.exception(LONG)
    assert stage.runs.note(course, now) == "took 0 s"


def test_hosts_are_drained_together_and_nothing_else(stage: Stage) -> None:
    """What has ended is in nobody's way."""
    assert stage.runs.in_the_way(PlanKind.REBALANCE) is None
    course = stage.begin()
    assert stage.runs.in_the_way(PlanKind.DRAIN) is None
    assert stage.runs.in_the_way(PlanKind.REBALANCE) == DRAIN_H2
    assert stage.runs.in_the_way(PlanKind.ROOM) == DRAIN_H2
    stage.end(course)
    assert stage.runs.in_the_way(PlanKind.REBALANCE) is None


def test_that_in_front_is_stopped_else_the_only_one(stage: Stage) -> None:
    """Of several, none of which is in front, nobody knows which is meant."""
    assert stage.runs.to_stop(H2) is None
    drain_h2 = stage.begin()
    assert stage.runs.to_stop(REBALANCE) is drain_h2
    drain_h1 = stage.begin(DRAIN_H1)
    assert stage.runs.to_stop(REBALANCE) is None
    assert (stage.runs.to_stop(H1), stage.runs.to_stop(H2)) == (drain_h1, drain_h2)
    stage.end(drain_h2)
    assert stage.runs.to_stop(H2) is drain_h1


def test_what_was_left_is_offered_resumed_and_forgotten(stage: Stage) -> None:
    """That of the plan in front first; not while it is carried out here, and not by that which was stopped itself."""
    session, runs, now = stage.session, stage.runs, stage.session.clock.now()
    assert runs.left_notice(H1, now) == ()
    for order in (DRAIN_H1, DRAIN_H2):
        leave_behind(session, MoveState.DONE, order=order)
        session.moment.advance(1)
    of_h1, of_h2 = stage.read()
    assert [left.id for left in runs.resumable(H2)] == [of_h2, of_h1]
    assert [left.id for left in runs.resumable(REBALANCE)] == [of_h1, of_h2]
    told = plain(runs.left_notice(H2, now))
    assert told.startswith("The drain of h2 was stopped after 1 of 5 moves")
    assert "and 1 more" in told

    course = stage.begin(DRAIN_H2, PlanRun.resumed(runs.resumable(H2)[0]))
    assert [left.id for left in runs.resumable(H2)] == [of_h1]
    be_stopped(course.run)
    course.run.change(id=of_h2)
    stage.end(course)
    assert [left.id for left in runs.resumable(H2)] == [of_h2, of_h1]
    assert plain(runs.left_notice(H2, now)).startswith("The drain of h1 was stopped")
    assert plain(runs.left_notice(REBALANCE, now)).startswith("The drain of h1 was stopped")

    forget_run(session, of_h1)
    assert stage.read() == (of_h2,)
    assert runs.left_notice(H2, now) == ()


def test_what_another_program_carries_out_is_told_and_not_resumed(stage: Stage) -> None:
    """What is carried out here has a table of its own."""
    other, own = run_of(stage.session, DRAIN_H1), run_of(stage.session)
    with in_journal(stage.session, other), in_journal(stage.session, own):
        stage.begin(run=own)
        stage.read()
        assert stage.runs.resumable(H2) == []
        told = plain(stage.runs.left_notice(H2, stage.session.clock.now()))
        assert told.startswith("The drain of h1 is run by ")


def test_what_was_read_before_stands_where_the_journal_cannot_be_read(stage: Stage) -> None:
    """And why is said, until it can be read again."""
    leave_behind(stage.session, MoveState.DONE)
    (left,) = stage.read()
    stage.runs.take_left(RealmsError("no such\nfolder"))
    assert [each.id for each in stage.runs.resumable(H2)] == [left]
    now = stage.session.clock.now()
    assert stage.runs.left_notice(H2, now) == (("Can't read interrupted plans: no such folder", Tone.BAD),)
    stage.read()
    assert plain(stage.runs.left_notice(H2, now)).startswith("The drain of h2 was stopped")
