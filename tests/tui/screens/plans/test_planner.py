"""What is asked of placement and what stands of its answers, known without any screen."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import UsageError
from core.placement.engine.request import Request
from core.placement.plans.demand import MovePolicy
from tests.tui import world
from tests.tui.screens.plans.plans_world import DRAIN_H2, GIB, REQUEST, question, run_of, small_fleet
from tui.render.plans.sheet import PlanKind, PlanView
from tui.screens.plans.planner import Planner, PlanQuestion, PlanSlot

if TYPE_CHECKING:
    from pathlib import Path

    from core.operations.session import Session


def asked(
    planner: Planner, session: Session, request: Request = REQUEST, *, at_once: bool = False, resting: bool = False
) -> PlanQuestion | None:
    """Return what the planner asks for the fleet as it is."""
    return planner.ask(session, session.fleet(), request, at_once=at_once, is_resting=resting)


def sheet(number: int) -> PlanView:
    """Make an answer."""
    return PlanView(heading=str(number), said=())


@pytest.mark.parametrize("module", ["planner", "runs"])
def test_it_needs_no_screen(module: str) -> None:
    """Nor Textual."""
    program = f"import sys, tui.screens.plans.{module}; print('textual' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"]


def test_another_subject_is_asked_at_once_another_fleet_after_the_rest(tmp_path: Path) -> None:
    """What is the same is not asked again, unless that is demanded."""
    session, planner = world.standing(tmp_path), Planner()
    first = asked(planner, session)
    assert first is not None
    assert asked(planner, session) is None
    assert asked(planner, session, at_once=True) is not None
    session.see(world.seen(world.host("h1")))
    assert asked(planner, session, resting=True) is None
    newer = asked(planner, session)
    assert newer is not None
    assert (newer.subject, newer.state != first.state) == (first.subject, True)
    larger = asked(planner, session, replace(REQUEST, vcpus=8), resting=True)
    assert larger is not None
    assert larger.subject != first.subject


def test_each_plan_has_a_question_of_its_own(tmp_path: Path) -> None:
    """What was answered is there again when one comes back to it."""
    session, planner = world.standing(tmp_path), Planner()
    capacity = asked(planner, session)
    planner.kind = PlanKind.FAILURE
    failure = asked(planner, session)
    assert capacity is not None
    assert failure is not None
    assert not planner.take(capacity, sheet(0))
    assert planner.desk.sheet is None
    assert planner.take(failure, sheet(1))
    assert planner.desk.sheet == sheet(1)
    planner.kind = PlanKind.CAPACITY
    assert planner.desk.sheet == sheet(0)
    assert asked(planner, session) is None


def test_the_newest_question_wins(tmp_path: Path) -> None:
    """A late answer about something else is dropped; what is shown meanwhile is known to be another's."""
    session, planner = world.standing(tmp_path), Planner()
    planner.kind, planner.host = PlanKind.DRAIN, "h1"
    first = asked(planner, session)
    planner.host = "h2"
    second = asked(planner, session)
    assert first is not None
    assert second is not None
    assert not planner.take(first, sheet(0))
    assert planner.take(second, sheet(1))
    assert planner.desk.is_current
    planner.policies[PlanKind.DRAIN] = MovePolicy(foreign=True)
    third = asked(planner, session)
    assert third is not None
    assert third.policy.foreign
    assert not planner.desk.is_current
    assert planner.desk.sheet == sheet(1)
    assert planner.note(session, session.fleet(), is_planning=True) == "current, updating"
    assert planner.take(third, UsageError("there is no host h2"))
    assert planner.desk.sheet is None
    planner.desk.forget()
    assert not planner.take(third, sheet(2))


def test_a_plan_says_of_what_age_it_is(tmp_path: Path) -> None:
    """Of the newest fleet it is as new as that, whenever that was taken."""
    session, planner = world.standing(tmp_path), Planner()
    assert planner.note(session, None, is_planning=True) == "planning"
    assert planner.note(session, None, is_planning=False) == ""
    first = asked(planner, session)
    assert first is not None
    planner.take(first, sheet(0))
    fleet = session.fleet()
    session.moment.advance(40)
    assert planner.note(session, fleet, is_planning=False) == "current"
    session.see(world.seen(world.host("h1")))
    assert planner.note(session, session.fleet(), is_planning=False) == "40 s old"


def test_a_host_that_is_gone_is_not_drained(tmp_path: Path) -> None:
    """Then the first that has something to move is, and none where there is none."""
    planner, (h1, h2, h3) = Planner(), small_fleet()
    empty = replace(h1, vms=())
    assert planner.keep_host(world.saved((empty, h2, h3)).fleet())
    assert planner.host == "h2"
    assert not planner.keep_host(world.saved((h1, h2, h3)).fleet())
    assert planner.keep_host(world.saved((h1, h3)).fleet())
    assert planner.host == "h1"
    assert planner.keep_host(world.saved(()).fleet())
    assert planner.host == ""


def test_what_is_ordered_is_the_plan_in_front(tmp_path: Path) -> None:
    """With as many moves as it has, and for the VM that it makes room for."""
    planner, session = Planner(), world.standing(tmp_path, small_fleet())
    planner.kind, planner.host = PlanKind.DRAIN, "h2"
    moves = tuple(run_of(session).view.moves)
    made = PlanView(heading="", said=(), moves=moves)  # type: ignore[arg-type]  # only counted
    assert planner.order(made) == DRAIN_H2
    assert planner.is_of(DRAIN_H2, REQUEST)
    planner.host = "h3"
    assert not planner.is_of(DRAIN_H2, REQUEST)
    planner.kind = PlanKind.REBALANCE
    assert (planner.order(made).host, planner.order(made).most) == ("", len(moves))
    planner.kind = PlanKind.ROOM
    room = planner.order(replace(made, request=REQUEST))
    assert planner.is_of(room, REQUEST)
    assert not planner.is_of(room, replace(REQUEST, vcpus=8))


def test_an_answer_about_another_host_is_not_shown() -> None:
    """What was there stays until the right one comes, which may be an error."""
    desk, sheets = PlanSlot(), [PlanView(heading=str(number), said=()) for number in range(2)]
    desk.asked = question()
    assert desk.take(question(), sheets[0])
    desk.asked = question(host="h2")
    assert not desk.take(question(), sheets[1])
    assert desk.outcome is sheets[0]
    gone = UsageError("there is no host h2")
    assert desk.take(question(host="h2"), gone)
    assert desk.outcome is gone


def test_questions_are_about_the_same_only_where_it_matters() -> None:
    """A request makes another capacity, not another drain; a host the other way round."""
    small, large = replace(question(), request=Request(1, GIB)), replace(question(), request=REQUEST)
    assert small.subject == large.subject
    assert question(host="h2").subject != question().subject
    room = {"kind": PlanKind.ROOM}
    assert question(**room, host="h2").subject == question(**room).subject
    assert question(**room, request=Request(1, GIB)).subject != question(**room).subject
