"""Plans carried out from the screen, in a real terminal, on real hosts: a host is empty in the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.hosts import HostState
from core.operations.plans.apply import apply_plan
from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.run import PlanRun, left_runs
from core.placement.plans.demand import MovePolicy
from tests.terminal import terminal

from .parts.migrations import Place3, copies, guest
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from core.placement.plans.drain import Move
    from tests.terminal import Terminal

    from .parts.lab import Lab

PATIENCE = 150.0
"""Seconds in which guests without acceleration move, on a busy machine."""

DRAIN = PlanOrder(kind=MovesKind.DRAIN, host="h1", policy=MovePolicy(foreign=True))


@contextmanager
def screen_in(folder: Path) -> Iterator[Terminal]:
    """Run the program in a terminal, over the lab's registry, and go to the plans."""
    places = ("--config", str(folder / "ticrypt-vm.conf"), "--registry", str(folder / "registry.json"))
    environment = {"HOME": str(folder), "REALMS_VIRTUALIZATION": "qemu"}
    with terminal(folder, *places, environment=environment) as screen:
        screen.wait_for("3 hosts", "2 VMs", deadline=PATIENCE)
        screen.press("5")
        screen.wait_for("Capacity for")
        yield screen


def agreed(place: Place3, count: int) -> Sequence[Move]:
    """Plan to empty the first host once so many guests are seen there."""

    def look() -> Sequence[Move] | None:
        moves = DRAIN.moves(place.session.configuration, place.session.fleet())
        return moves if len(moves) == count else None

    return eventually(look, f"{count} guests to move")


def runs_elsewhere(lab: Lab, uuids: Sequence[str]) -> bool:
    """Whether every guest runs on one host alone, and none of them on the first."""
    return all(list(found.values()) == ["running"] and "h1" not in found for found in (copies(lab, u) for u in uuids))


def test_a_host_is_emptied_from_the_screen(place: Place3, lab: Lab, tmp_path: Path) -> None:
    """Foreign VMs are taken along on demand; its name is typed; each move is watched to its end."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two")]
    agreed(place, 2)
    with screen_in(tmp_path) as screen:
        screen.press("d")
        screen.wait_for("Drain h1", "it is foreign", "stays", deadline=PATIENCE)
        screen.press("t")
        screen.wait_for("Which VMs may move?", "[ ] unmanaged VMs")
        screen.press("Space")
        screen.wait_for("[x] unmanaged VMs")
        screen.press("C-s")
        screen.wait_for("h1 can be drained: 2 moves", deadline=PATIENCE)
        screen.press("a")
        screen.wait_for("Drain h1: move 2 VMs?", "Includes unmanaged VMs", "[x] set h1 to No Scheduling", "Type h1")
        screen.write("h1")
        screen.wait_for("Type h1 to confirm:  h1")
        screen.press("Enter")
        screen.wait_for("Drain h1: done", "2 of 2 VMs moved", "100 %", deadline=PATIENCE)
        assert runs_elsewhere(lab, uuids)
        screen.press("r")
        screen.wait_for("h1 runs no VMs", deadline=PATIENCE)
        screen.press("q")
        assert screen.wait_for_end() == 0
    assert place.session.require_writable().host("h1").state is HostState.NO_SCHEDULING
    assert place.reservations() == []
    assert place.journal() == []


def test_what_another_program_stopped_is_resumed_on_the_screen(place: Place3, lab: Lab, tmp_path: Path) -> None:
    """Nothing of it was begun; what was agreed to then is done now."""
    uuids = [guest(lab.hosts[0], name, network=None) for name in ("one", "two")]
    run = PlanRun(DRAIN, agreed(place, 2))
    run.stop()
    stopped = place.session.tasks.run(
        "drain", "h1", lambda control: apply_plan(control, place.session, run, deadline=PATIENCE)
    )
    stopped.outcome.result(PATIENCE)
    assert [left.order for left in left_runs(place.session)] == [DRAIN]
    with screen_in(tmp_path) as screen:
        screen.wait_for("The drain of h1 was stopped after 0 of 2 moves", "press u to resume", deadline=PATIENCE)
        screen.press("u")
        screen.wait_for("Resume the drain of h1?", "2 not started", "unmanaged VMs included")
        screen.press("C-s")
        screen.wait_for("Drain h1: done", "2 of 2 VMs moved", deadline=PATIENCE)
        assert runs_elsewhere(lab, uuids)
        screen.press("q")
        assert screen.wait_for_end() == 0
    assert left_runs(place.session) == ()
