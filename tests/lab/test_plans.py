"""Plans carried out on real hosts: a host emptied, a fleet evened out, one move after another."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import Cancelled
from core.operations.plans.apply import apply_plan
from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import MoveState, PlanRun, left_runs
from core.operations.tasks.journal import StillAtWork
from core.placement.plans.demand import MovePolicy
from tests.cli.program import runner
from tests.terminal import REALMS

from .parts.migrations import PATIENCE, SLOWLY, Place3, copies, guest
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.operations.tasks.task import Task
    from core.placement.plans.drain import Move

    from .parts.lab import Lab

DRAIN = PlanOrder(kind=MovesKind.DRAIN, host="h1", policy=MovePolicy(foreign=True))


def agreed(place: Place3, count: int) -> Sequence[Move]:
    """Plan to empty the first host once so many guests are seen there."""

    def look() -> Sequence[Move] | None:
        moves = DRAIN.plan(place.session.configuration, place.session.fleet()).moves
        return moves if len(moves) == count else None

    return eventually(look, f"{count} guests to move")


def begin(place: Place3, run: PlanRun) -> Task[str]:
    """Begin to carry a run out."""
    return place.session.tasks.run(
        "drain", "h1", lambda control: apply_plan(control, place.session, run, deadline=PATIENCE)
    )


def carry(place: Place3, run: PlanRun) -> tuple[str, ...]:
    """Carry a run out, and give its warnings."""
    task = begin(place, run)
    task.outcome.result(3 * PATIENCE)
    return task.view.warnings


def states(run: PlanRun) -> dict[str, str]:
    """Return how each move stands, by the name of its VM."""
    return {move.vm: move.state.value for move in run.view.moves}


def test_a_host_is_emptied_on_the_command_line(
    place: Place3, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each VM runs where the plan has it; a fleet that is even then is left as it is."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two")]
    agreed(place, 2)
    run = runner(monkeypatch, capsys)
    where = ("--config", tmp_path / "ticrypt-vm.conf", "--registry", tmp_path / "registry.json", "--foreign")
    outcome = run("plan", "drain", "h1", *where, "--apply", "--json")
    assert (outcome.code, outcome.json["complete"]) == (0, True)
    assert [(done["ok"], done["as_planned"]) for done in outcome.json["applied"]] == [(True, True)] * 2
    planned = {move["uuid"]: move["to"] for move in outcome.json["moves"]}
    assert sorted(planned.values()) == ["h2", "h3"]
    assert [copies(lab, uuid) for uuid in uuids] == [{planned[uuid]: "running"} for uuid in uuids]
    again = run("plan", "rebalance", *where, "--apply")
    assert (again.code, again.out.splitlines()[0]) == (0, "No moves: no VM has a cheaper host")


def test_a_fleet_is_evened_out_on_the_command_line(
    place: Place3, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three guests on one of three hosts end on one each."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two", "three")]
    agreed(place, 3)
    outcome = runner(monkeypatch, capsys)(
        "plan", "rebalance", "--config", tmp_path / "ticrypt-vm.conf", "--registry", tmp_path / "registry.json",
        "--foreign", "--apply",
    )  # fmt: skip
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "2 moved, 0 failed; 2 planned")
    assert sorted(host for uuid in uuids for host in copies(lab, uuid)) == ["h1", "h2", "h3"]


def test_what_is_not_as_agreed_is_told(place: Place3, lab: Lab) -> None:
    """The plan of the moment counts, not the one that was made before."""
    uuid = guest(lab.hosts[0], network=None)
    (move,) = agreed(place, 1)
    run = PlanRun(DRAIN, [replace(move, target="h3")])
    warnings = carry(place, run)
    assert warnings[0] == "the fleet has changed: mover goes to h2 instead of mover to h3"
    assert [(done.as_agreed, done.state) for done in run.view.moves] == [(False, MoveState.DONE)]
    assert copies(lab, uuid) == {"h2": "running"}


def test_a_vm_that_was_not_agreed_to_is_never_moved(place: Place3, lab: Lab) -> None:
    """It came after the plan was made."""
    one = guest(lab.hosts[0], "one", network=None)
    moves = agreed(place, 1)
    late = guest(lab.hosts[0], "a-late-one", network=None)
    agreed(place, 2)
    run = PlanRun(DRAIN, moves)
    carry(place, run)
    assert states(run) == {"one": "done"}
    assert "h1" not in copies(lab, one)
    assert copies(lab, late) == {"h1": "running"}


def test_one_that_can_not_move_is_left_out_and_the_rest_goes_on(place: Place3, lab: Lab) -> None:
    """Something of its name is in its way on both other hosts."""
    stays, goes = (guest(lab.hosts[0], name, network=None) for name in ("a-stays", "goes"))
    for other in lab.hosts[1:]:
        other.define_guest("a-stays", network=None)
    run = PlanRun(DRAIN, agreed(place, 2))
    carry(place, run)
    assert states(run) == {"a-stays": "failed", "goes": "done"}
    assert run.view.summary == "1 moved, 1 failed; 2 planned"
    assert copies(lab, stays) == {"h1": "running"}
    assert "h1" not in copies(lab, goes)
    assert left_runs(place.session) == ()


SLOW_DRAIN = replace(DRAIN, bandwidth=SLOWLY * 2)
"""Guests are long enough on their way to be seen there, with a limit that QEMU itself keeps."""


def three(lab: Lab) -> dict[str, str]:
    """Start three guests on the first host, and give their UUIDs by name."""
    return {name: guest(lab.hosts[0], name, network=None) for name in ("one", "three", "two")}


def two_under_way(run: PlanRun) -> None:
    """Wait until two moves have begun, which they do at once."""
    eventually(lambda: run.view.count(MoveState.UNDER_WAY) == 2, "two moves at once", PATIENCE)


def test_two_are_moved_at_once_and_a_host_never_takes_part_in_more(place: Place3, lab: Lab) -> None:
    """The third begins when one has ended; those under way count on both of their hosts."""
    uuids = three(lab)
    run = PlanRun(SLOW_DRAIN, agreed(place, 3))
    most = 0

    def told() -> None:
        nonlocal most
        most = max(most, run.view.count(MoveState.UNDER_WAY))

    run.subscribe(told)
    carry(place, run)
    assert states(run) == dict.fromkeys(uuids, "done")
    assert most == 2
    assert all("h1" not in copies(lab, uuid) for uuid in uuids.values())
    assert place.reservations() == []
    assert place.journal() == []


def test_a_stopped_plan_lets_those_under_way_end_and_is_resumed(place: Place3, lab: Lab) -> None:
    """What was not begun is moved by the resumed run, and nothing else."""
    uuids = three(lab)
    run = PlanRun(SLOW_DRAIN, agreed(place, 3))
    task = begin(place, run)
    two_under_way(run)
    run.stop()
    assert task.outcome.result(3 * PATIENCE) == "2 moved, 0 failed, 1 not started; 3 planned"
    (left,) = left_runs(place.session)
    assert (left.at_work, left.view.count(MoveState.DONE), left.view.resumable) == (False, 2, True)
    again = PlanRun.resumed(left)
    carry(place, again)
    assert states(again) == dict.fromkeys(uuids, "done")
    assert all("h1" not in copies(lab, uuid) for uuid in uuids.values())
    assert left_runs(place.session) == ()


def test_a_cancelled_plan_calls_off_what_is_under_way(place: Place3, lab: Lab) -> None:
    """The VMs go on where they were; the run can be resumed."""
    uuids = three(lab)
    run = PlanRun(replace(DRAIN, bandwidth=SLOWLY), agreed(place, 3))
    task = begin(place, run)
    two_under_way(run)
    eventually(lambda: all(move.done for move in run.view.moves[:2]), "bytes of both on their way", PATIENCE)
    task.cancel()
    with pytest.raises(Cancelled):
        task.outcome.result(2 * PATIENCE)
    assert states(run) == dict.fromkeys(uuids, "waiting")
    assert [copies(lab, uuid) for uuid in uuids.values()] == [{"h1": "running"}] * 3
    assert place.reservations() == []
    (left,) = left_runs(place.session)
    assert left.view.count(MoveState.WAITING) == 3


def test_a_plan_that_is_carried_out_is_not_begun_twice(place: Place3, lab: Lab) -> None:
    """Nor resumed while a living program works on it."""
    three(lab)
    moves = agreed(place, 3)
    run = PlanRun(SLOW_DRAIN, moves)
    task = begin(place, run)
    two_under_way(run)
    (left,) = left_runs(place.session)
    assert left.at_work
    for other in (PlanRun(DRAIN, moves), PlanRun.resumed(left)):
        with pytest.raises(StillAtWork):
            begin(place, other).outcome.result(PATIENCE)
    task.cancel()
    with pytest.raises(Cancelled):
        task.outcome.result(2 * PATIENCE)


def test_a_killed_plan_is_resumed_on_the_command_line(
    place: Place3, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its moves that were under way are put in order first; recovering VMs leaves the plan alone."""
    uuids = three(lab)
    agreed(place, 3)
    where = ("--config", str(tmp_path / "ticrypt-vm.conf"), "--registry", str(tmp_path / "registry.json"))
    drain = ("plan", "drain", "h1", "--foreign", "--apply", "--bandwidth", str(SLOWLY * 2))
    program = subprocess.Popen([REALMS, *drain, *where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: len(place.reservations()) == 2, "two moves under way", PATIENCE)
    finally:
        program.kill()
        program.wait()
    (left,) = left_runs(place.session)
    assert not left.at_work
    run = runner(monkeypatch, capsys)
    assert "plan" not in {row["operation"] for row in run("vms", "recover", "--json", *where).json["left_behind"]}
    outcome = run("plan", "resume", "--json", *where)
    assert (outcome.code, [row["state"] for row in outcome.json["applied"]]) == (0, ["done"] * 3)
    assert all("h1" not in copies(lab, uuid) for uuid in uuids.values())
    assert run("vms", "recover", *where).out == "nothing to clean up\n"
    nothing = run("plan", "resume", *where)
    assert (nothing.code, nothing.out) == (0, "no interrupted plan\n")
