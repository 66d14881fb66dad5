"""Plans carried out on hosts of the test driver: VMs with devices are shut down, moved and started again."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import DriverError, HostTimeout
from core.operations.migration.location import VMLocation
from core.operations.migration.outcome import MigrationFailed
from core.operations.plans import move as carry_move
from core.operations.plans.apply import apply_plan
from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import BEGIN, SHUT_DOWN, MoveState, PlanRun, forget_run, in_journal, left_runs
from core.operations.recovery import survey
from core.operations.tasks.journal import StillAtWork
from core.operations.vms.power import NotShutDown
from core.placement.plans.demand import MovePolicy
from tests.driver.worlds import LONG, Guest, guest_xml
from tests.operations.vms.world import GPUS, World, world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.placement.plans.drain import Move

DRAIN = PlanOrder(kind=MovesKind.DRAIN, host="h1", policy=MovePolicy(foreign=True, with_devices=True))
ML, OTHER = (Guest(name=name, uuid=f"{number * 11111111}-1111-4111-8111-111111111111", devices=(GPUS[number - 1],))
             for number, name in enumerate(("ml", "other"), 1))  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    """Return two hosts with two devices each; two VMs on the first hold its devices."""
    with world(tmp_path, guests=[[ML, OTHER]]) as place:
        yield place


def agreed(place: World, order: PlanOrder = DRAIN) -> Sequence[Move]:
    """Plan to empty the first host, as it is now."""
    return order.plan(place.session.configuration, place.session.settled_fleet(LONG)).moves


def carry(place: World, run: PlanRun) -> str:
    """Carry a run out, and give what it says."""
    return place.task(lambda control: apply_plan(control, place.session, run, deadline=LONG))


def where(place: World) -> dict[str, tuple[str, bool]]:
    """Return the host of each VM, and whether it runs there."""

    def look(connection: object) -> dict[str, bool]:
        return {str(each.name()): bool(each.isActive()) for each in connection.handle.listAllDomains(0)}

    found = {}
    for host in ("h1", "h2"):
        found.update({name: (host, active) for name, active in place.call(host, look).items()})
    return found


def test_vms_with_devices_are_shut_down_moved_and_started(place: World) -> None:
    """They get devices of the target; nothing is left in the journal or reserved by anybody."""
    run = PlanRun(DRAIN, agreed(place))
    carry(place, run)
    assert [move.detail for move in run.view.moves] == ["ml was started again on h2", "other was started again on h2"]
    held = [str(address) for each in place.session.fleet().host("h2").vms for address in each.devices]
    assert sorted(held) == sorted(GPUS)
    assert place.journal() == []
    assert [each.owner for each in place.registry.reservations() if each.owner] == []


def test_nothing_is_shut_down_that_nobody_asked_for(place: World) -> None:
    """Without the wish they stay, for that reason."""
    order = replace(DRAIN, policy=MovePolicy(foreign=True))
    plan = order.plan(place.session.configuration, place.session.settled_fleet(LONG))
    assert (plan.moves, [str(each.why) for each in plan.stuck]) == ((), ["holds-devices"] * 2)
    run = PlanRun(order, plan.moves)
    assert carry(place, run) == "0 moved, 0 failed; 0 planned"
    assert where(place) == {"ml": ("h1", True), "other": ("h1", True)}


def test_one_that_can_not_be_moved_once_it_is_off_is_started_where_it_was(place: World) -> None:
    """Something of its name came into its way while it was shut down; the other one moves all the same."""
    run = PlanRun(DRAIN, agreed(place))
    in_its_way = guest_xml(Guest(name="ml", uuid="99999999-1111-4111-8111-111111111111"))
    done = []

    def told() -> None:
        if run.view.moves[0].is_off and not done:
            done.append(place.call("h2", lambda connection: connection.handle.defineXML(in_its_way)))

    run.subscribe(told)
    assert carry(place, run) == "1 moved, 1 failed; 2 planned"
    failed = run.view.moves[0]
    assert (failed.state, failed.is_off) == (MoveState.FAILED, False)
    assert "another VM on h2 has the name ml" in failed.detail
    on_first = place.call("h1", lambda connection: [each.name() for each in connection.handle.listAllDomains(1)])
    assert on_first == ["ml"]


def test_a_vm_that_a_killed_run_left_off_is_started_and_moved_by_the_resumed_one(place: World) -> None:
    """The journal knows that it was shut down for its move; nobody else would start it."""
    moves = agreed(place)
    run = PlanRun(DRAIN, moves)
    with in_journal(place.session, run) as entry:
        entry.step(BEGIN, number=0, uuid=ML.uuid, host="h1", to="h2")
        entry.step(SHUT_DOWN, number=0, host="h1")
    place.call("h1", lambda connection: connection.handle.lookupByUUIDString(ML.uuid).destroy())
    (left,) = left_runs(place.session)
    assert [(move.state, move.is_off) for move in left.moves] == [
        (MoveState.WAITING, True), (MoveState.WAITING, False),
    ]  # fmt: skip
    assert survey(place.session) == ()
    assert carry(place, PlanRun.resumed(left)) == "2 moved, 0 failed; 2 planned"
    assert where(place) == {"ml": ("h2", True), "other": ("h2", True)}
    assert left_runs(place.session) == ()


def test_a_resumed_run_makes_no_move_that_was_not_agreed_to(place: World) -> None:
    """One of the two had been agreed to; it had failed, which is told, and it is not tried again."""
    moves = agreed(place)
    run = PlanRun(DRAIN, moves[:1])
    with in_journal(place.session, run) as entry:
        entry.step(BEGIN, number=0, uuid=ML.uuid, host="h1", to="h2")
        entry.step("end", number=0, state="failed", message="no room", hint="make some", off=False)
    (left,) = left_runs(place.session)
    assert left.view.summary == "0 moved, 1 failed; 1 planned"
    assert (left.moves[0].detail, left.moves[0].hint) == ("no room", "make some")
    assert carry(place, PlanRun.resumed(left)) == "0 moved, 1 failed; 1 planned"
    assert where(place) == {"ml": ("h1", True), "other": ("h1", True)}


def test_vms_that_need_no_move_any_more_are_left_and_it_is_said_why(place: World) -> None:
    """One was turned off since."""
    run = PlanRun(DRAIN, agreed(place))
    place.call("h1", lambda connection: connection.handle.lookupByUUIDString(ML.uuid).destroy())
    place.session.connect().wait(lambda fleet: sum(vm.active for vm in fleet.vms()) == 1, LONG)
    assert carry(place, run) == "1 moved, 0 failed, 1 left; 2 planned"
    assert [(move.state, move.detail) for move in run.view.moves] == [
        (MoveState.LEFT, "it is off or was deleted"),
        (MoveState.DONE, "other was started again on h2"),
    ]


def test_a_stopped_run_begins_nothing_and_can_be_resumed_or_forgotten(place: World) -> None:
    """What was agreed to stays in the journal until then."""
    run = PlanRun(replace(DRAIN, parallel=1), agreed(place))
    run.stop()
    assert carry(place, run) == "0 moved, 0 failed, 2 not started; 2 planned"
    assert (run.view.stopping, run.view.resumable) == (True, True)
    (left,) = left_runs(place.session)
    assert (left.id, left.order) == (run.view.id, run.view.order)
    forget_run(place.session, left.id)
    assert left_runs(place.session) == ()
    with pytest.raises(StillAtWork):
        forget_run(place.session, left.id)


def test_the_same_plan_is_not_carried_out_twice_at_once(place: World) -> None:
    """A living program has it; another plan may begin."""
    moves = agreed(place)
    with in_journal(place.session, PlanRun(DRAIN, moves)):
        with pytest.raises(StillAtWork, match="drain h1 is already being applied"):
            carry(place, PlanRun(replace(DRAIN, policy=MovePolicy(with_devices=True)), moves))
        other = PlanRun(PlanOrder(kind=MovesKind.REBALANCE), ())
        assert carry(place, other) == "0 moved, 0 failed; 0 planned"


def test_a_run_that_another_program_went_on_with_is_resumed_from_where_it_is_now(place: World) -> None:
    """It had been read before, and its question was answered late."""
    with in_journal(place.session, PlanRun(DRAIN, agreed(place))):
        pass
    (read_before,) = left_runs(place.session)
    with in_journal(place.session, PlanRun.resumed(read_before)) as entry:
        for number in (0, 1):
            entry.step("end", number=number, state="failed", message="no room", hint="", off=False)
    run = PlanRun.resumed(read_before)
    assert carry(place, run) == "0 moved, 2 failed; 2 planned"
    assert where(place) == {"ml": ("h1", True), "other": ("h1", True)}


def test_a_move_that_gets_no_thread_has_failed(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for one that never began."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("move "):
            raise RuntimeError("can't start new thread")
        start(thread)

    run = PlanRun(DRAIN, agreed(place))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert carry(place, run) == "0 moved, 2 failed; 2 planned"
    assert run.view.moves[0].detail == "it could not start: can't start new thread"
    assert where(place) == {"ml": ("h1", True), "other": ("h1", True)}


def test_nothing_further_is_begun_after_a_vm_that_is_off_and_nobody_knows_where(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its target fell silent in the midst, and its source does not start it: the other one stays as it is."""
    lost = VMLocation("ml", "h1", "h2", None, None, "no answer", "no answer")

    def fail(*_: object, **__: object) -> object:
        raise MigrationFailed("no answer", lost)

    def refuse(*_: object, **__: object) -> object:
        raise DriverError("h1", "another host may run it")

    monkeypatch.setattr(carry_move, "migrate", fail)
    monkeypatch.setattr(carry_move, "start_vm", refuse)
    run = PlanRun(replace(DRAIN, parallel=1), agreed(place))
    assert carry(place, run) == "0 moved, 0 failed, 1 unknown, 1 not started; 2 planned"
    first = run.view.moves[0]
    assert (first.is_off, "could not be started there" in first.detail) == (True, True)
    (left,) = left_runs(place.session)
    assert [move.is_off for move in left.moves] == [True, False]


def test_a_vm_whose_host_falls_silent_while_it_is_shut_down_is_said_to_be_off_perhaps(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else starts it again."""

    def silent(*_: object, **__: object) -> object:
        raise HostTimeout("h1", "no answer in 20 s")

    monkeypatch.setattr(carry_move, "act", silent)
    run = PlanRun(replace(DRAIN, parallel=1), agreed(place)[:1])
    assert carry(place, run) == "0 moved, 1 failed; 1 planned"
    failed = run.view.moves[0]
    assert (failed.is_off, failed.detail) == (
        True, "h1: no answer in 20 s; it may have shut down and be off on h1",
    )  # fmt: skip


def test_a_vm_that_does_not_shut_down_in_time_is_said_to_stay_off_if_it_does_later(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked to, and nobody can take that back."""

    def patient(*_: object, **__: object) -> object:
        raise NotShutDown("h1/ml was asked to shut down 120 s ago, and is still running", hint="realms vms off")

    monkeypatch.setattr(carry_move, "act", patient)
    run = PlanRun(replace(DRAIN, parallel=1), agreed(place)[:1])
    carry(place, run)
    failed = run.view.moves[0]
    assert (failed.state, failed.is_off) == (MoveState.FAILED, False)
    assert failed.detail.endswith("is still running; if it shuts down later, it stays off on h1")
    assert failed.hint == "realms vms off; realms vms start h1/ml starts it again"
