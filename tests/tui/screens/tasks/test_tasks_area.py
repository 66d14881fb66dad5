"""The area of tasks: running and past ones, their end, and quitting while they work."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from core.errors import RealmsError
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress, Tasks
from tests.tui import world
from tests.tui.driving import dialog_text, ended, grid_of, has_ended, left_waiting, settle, text_of, told, until
from tests.tui.hostile import HOSTILE, assert_clean
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.render.cells import plain
from tui.screens.dialogs.confirm import Confirm
from tui.screens.tasks.area import TaskScreen
from tui.widgets.bars import HeaderLine
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from core.operations.tasks.task import Control

GIB = 1024**3


class Held:
    """A task that stops in the midst of copying until it is let go, or told to end."""

    def __init__(self) -> None:
        self.at_work = threading.Event()
        self.undone = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, control: Control) -> str:
        with control.step(StepKind.PLACE, "reserve its room", "h2") as step:
            step.detail("a100 41:00.0")
        control.on_failure("release the reservation", self.undone.set, "h2")
        with control.step(StepKind.COPY, "copy the image", "h2") as step:
            step.progress(3 * GIB, 9 * GIB)
            self.at_work.set()
            while not self.go_on.is_set():
                control.wait(0.01)
        return "h2/web-9: created"


@contextmanager
def held() -> Iterator[Held]:
    """Make such a task, and let it go in the end."""
    task = Held()
    try:
        with left_waiting("tasks"):
            yield task
    finally:
        task.go_on.set()


def fails(control: Control) -> None:
    """Do a step, then fail with a hint, and leave something behind."""
    with control.step(StepKind.PLACE, "reserve its room", "h3"):
        pass
    control.warn("left behind: volume web-8 on h3")
    with control.step(StepKind.DEFINE, "define it", "h3"):
        raise RealmsError("h3: pool ticrypt-vm-volumes is missing", hint="realms pools setup h3")


async def begun(pilot: Pilot[int], task: Held) -> None:
    """Start a held task and wait until it copies."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    app.run_task("create", "web-9", task)
    await until(pilot, task.at_work.is_set)
    await settle(pilot)


async def test_what_runs_is_told_in_the_header_of_every_area(tmp_path: Path) -> None:
    """With its steps; and what came of it is told wherever one is."""
    app = RealmsApp(world.standing(tmp_path))
    with held() as task:
        async with app.run_test(size=MIDDLE) as pilot:
            await settle(pilot)
            await begun(pilot, task)
            for key in ("1", "2", "3", "6"):
                await pilot.press(key)
                await settle(pilot)
                assert "1 task: create web-9 1/2" in text_of(app.screen.query_one(HeaderLine))
            task.go_on.set()
            await ended(pilot)
            assert "1 task" not in text_of(app.screen.query_one(HeaderLine))
            assert told(app) == ["h2/web-9: created"]
            assert plain(grid_of(app).model.shown[0].cells[6]) == "done: h2/web-9: created"


async def test_a_task_that_failed_has_its_error_hint_warnings_and_steps(tmp_path: Path) -> None:
    """In the panel, and whole on a screen of its own."""
    app = RealmsApp(world.standing(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        app.run_task("create", "web-8", fails)
        await ended(pilot)
        await pilot.press("6")
        await settle(pilot)
        for _ in range(2):
            shown = text_of(app.screen.query_one(Panel))
            assert "pool ticrypt-vm-volumes is missing" in shown
            assert "realms pools setup h3" in shown
            assert "left behind: volume web-8" in shown
            assert "✓ h3: reserve its room" in shown
            await pilot.press("enter")
            await settle(pilot)
        assert isinstance(app.screen, TaskScreen)
        assert any("failed: h3: pool" in message and "realms pools setup" in message for message in told(app))


async def test_a_running_task_is_ended_after_asking_and_undoes_what_it_did(tmp_path: Path) -> None:
    """The way out has the focus."""
    app = RealmsApp(world.standing(tmp_path))
    with held() as task:
        async with app.run_test(size=MIDDLE) as pilot:
            await settle(pilot)
            await begun(pilot, task)
            await pilot.press("6", "x")
            await settle(pilot)
            assert "create web-9" in dialog_text(app)
            await pilot.press("enter")
            await settle(pilot)
            assert not app.session.tasks.views()[0].cancelling
            await pilot.press("x", "tab", "enter")
            await ended(pilot)
            assert task.undone.is_set()
            assert app.session.tasks.views()[0].progress is Progress.CANCELLED
            await pilot.press("x")
            await settle(pilot)
            assert "That task has already ended." in told(app)


async def test_quitting_asks_while_tasks_run_and_waits_until_they_have_undone(tmp_path: Path) -> None:
    """Staying changes nothing."""
    app = RealmsApp(world.standing(tmp_path))
    with held() as task:
        async with app.run_test(size=MIDDLE) as pilot:
            await settle(pilot)
            await begun(pilot, task)
            await pilot.press("q")
            await settle(pilot)
            assert isinstance(app.screen, Confirm)
            await pilot.press("enter", "ctrl+q")
            await settle(pilot)
            assert app.is_running
            await pilot.press("tab", "enter")
            await until(pilot, lambda: has_ended(app))
        assert task.undone.is_set()
    assert app.return_code == 0


@pytest.mark.parametrize("key", ["6", "1"])
async def test_hostile_names_in_tasks_do_nothing(tmp_path: Path, key: str) -> None:
    """Neither in the table, the panel, the header, the dialog nor a message."""
    app = RealmsApp(world.standing(tmp_path))
    with held() as task:
        async with app.run_test(size=MIDDLE) as pilot:
            await pilot.press(key)
            await settle(pilot)
            for name in HOSTILE:

                def hostile(control: Control, name: str = name) -> None:
                    control.warn(name)
                    with control.step(StepKind.PLACE, name, name):
                        raise RealmsError(name, hint=name)

                app.run_task(name, name, hostile)
            await ended(pilot)
            app.run_task(HOSTILE[0], HOSTILE[3], task)
            await until(pilot, task.at_work.is_set)
            await settle(pilot)
            assert_clean(app)
            await pilot.press("q")
            await settle(pilot)
            assert_clean(app)
            await pilot.press("escape", "j", "j", "enter")
            await settle(pilot)
            assert_clean(app)


# Whole screens -------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize("state", ["empty", "running", "failed"])
def test_tasks(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int], state: str) -> None:
    """None yet; one that runs; one that failed."""
    session = world.standing(tmp_path)
    session.tasks = Tasks(session.clock, user="admin")
    app = RealmsApp(session)

    async def prepare(pilot: Pilot[int]) -> None:
        await pilot.press("6")
        await settle(pilot)
        if state != "empty":
            session.tasks.run("create", "web-8", fails).outcome.exception(10.0)
        if state == "running":
            session.moment.advance(12.0)
            await begun(pilot, task)
            session.moment.advance(125.0)
            await pilot.press("g")
        app.clear_notifications()
        app.tick()
        await settle(pilot)

    with held() as task:
        assert picture(app, size, prepare=prepare)
