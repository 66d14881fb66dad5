"""Defects in threads that live as long as the program: each is reported, and the thread goes on."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from core.clock import SystemClock
from core.demo.life import Life
from core.driver.connection import library
from core.driver.connection.alarms import Alarms
from core.errors import RealmsError
from core.operations.scheduling import reserve
from core.operations.scheduling.reserve import HeldReservation
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, Progress, Tasks
from core.registry.hosts import HostRegistry
from core.reservations import Reservation
from tests.driver.worlds import LONG
from tests.tui.driving import wait_until
from tests.tui.world import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Fails:
    """A call that raises a defect the first time, and is counted."""

    def __init__(self, then: Callable[..., Any]) -> None:
        self.calls = 0
        self.again = threading.Event()
        self._then = then

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Raise the first time; later do what the call did before."""
        self.calls += 1
        if self.calls == 1:
            raise ZeroDivisionError
        self.again.set()
        return self._then(*given, **named)


def test_an_alarm_that_fails_stops_no_other() -> None:
    """Their one thread goes on."""
    rung = threading.Event()
    alarms = Alarms(SystemClock())
    alarms.after(0, Fails(lambda: None))
    alarms.after(0.01, rung.set)
    assert rung.wait(LONG)
    alarms.close()


def test_the_registry_is_followed_after_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown where an unreadable registry is, until the next look succeeds."""
    registry = HostRegistry(tmp_path / "registry.json")
    with Session(CONFIGURATION, registry=registry) as session:
        session.connect()
        shown: list[str] = []
        fails = Fails(registry.stamp)

        def stamp() -> Any:
            try:
                return fails()
            finally:
                shown.append(session.registry_error)

        monkeypatch.setattr(registry, "stamp", stamp)
        wait_until(lambda: len(shown) > 1)
        assert "ZeroDivisionError" in shown[1]
        wait_until(lambda: not session.registry_error)


def test_a_reservation_is_renewed_after_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is time for more attempts."""
    monkeypatch.setattr(reserve, "LIFETIME", 0.1)
    registry = HostRegistry(tmp_path / "registry.json")
    fails = Fails(lambda *_: None)
    monkeypatch.setattr(registry, "renew", fails)
    held = HeldReservation(registry, Reservation(uuid="1", vm="web", host="h1", vcpus=1, memory_bytes=1), SystemClock())
    assert fails.again.wait(LONG)
    held.release()


def test_the_events_of_libvirt_come_after_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its loop no connection notices that its host has gone."""
    library.prepare()
    fails = Fails(libvirt.virEventRunDefaultImpl)
    monkeypatch.setattr(libvirt, "virEventRunDefaultImpl", fails)
    libvirt.virEventAddTimeout(0, lambda *_: None, None)  # ends the call that the loop waits in
    assert fails.again.wait(LONG)


def test_the_demo_lives_after_a_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its VMs come and go."""
    with Session(CONFIGURATION, registry=HostRegistry(tmp_path / "registry.json")) as session:
        life = Life(session, period=0.01)
        fails = Fails(lambda: None)
        monkeypatch.setattr(life, "step", fails)
        life.start()
        assert fails.again.wait(LONG)
        life.close()


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError("x"), RealmsError("the disk is full"), SystemExit(3)])
def test_a_task_ends_and_undoes_what_it_can(failing: int, error: BaseException) -> None:
    """Whatever one of its undos raises, and whatever it failed by itself."""
    undone: list[int] = []

    def undo(number: int) -> None:
        if number == failing and isinstance(error, Exception):
            raise error
        undone.append(number)

    def job(control: Control) -> None:
        for number in range(3):
            with control.step(StepKind.CONTROL, f"step {number}"):
                pass
            control.on_failure(f"undo {number}", lambda number=number: undo(number))
        raise error

    tasks = Tasks(SystemClock())
    task = tasks.run("work", "h1", job)
    outcome: Future[None] = task.outcome
    assert outcome.exception(LONG) is error
    wait_until(lambda: not tasks.running())
    assert task.view.progress is Progress.FAILED
    expected = [number for number in (2, 1, 0) if number != failing or not isinstance(error, Exception)]
    assert undone == expected
    assert len(task.view.warnings) == 3 - len(expected)
