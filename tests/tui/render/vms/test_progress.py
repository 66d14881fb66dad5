"""What is being done to VMs, in their rows: found by tasks' targets, and by names and hosts in their steps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress, Step, Tasks, TaskView
from tests.tui import world
from tests.tui.driving import grid_of, left_waiting, settle, until
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.render.cells import plain
from tui.render.vms.progress import NOTHING, under_way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from core.operations.tasks.task import Control

WEB, WEB1 = world.vm("web", "h1", 1), world.vm("web-1", "h1", 2)
TWIN = world.vm("web", "h2", 3)


def view(what: str, target: str, *steps: Step, **more: object) -> TaskView:
    """Make a task that runs."""
    return TaskView(1, what, target, "admin", world.NOW, steps=steps, **more)  # type: ignore[arg-type]


def words(*views: TaskView, vms: Sequence[object] = (WEB, WEB1, TWIN)) -> dict[str, str]:
    """Return the words for each VM, as HOST/NAME."""
    found = under_way(views, vms)  # type: ignore[arg-type]
    return {f"{vm.host}/{vm.name}": told for vm in (WEB, WEB1, TWIN) if (told := found.of_host(vm.host).get(vm.uuid))}


def test_a_vm_that_is_made_registers_in_its_row() -> None:
    """It is the one of that name on the host that the steps name."""
    making = Step(StepKind.DEFINE, "define web", "h1", Progress.DONE, vm="web")
    registering = Step(StepKind.REGISTER, "wait until web registers", "h1", done=12.0, total=60.0, unit="s", vm="web")
    assert words(view("create", "web", making, registering)) == {"h1/web": "registering 12 s of 60 s"}
    assert words(view("create", "web", Step(StepKind.PLACE, "place web", vm="web"))) == {}


def test_a_migration_tells_where_to_and_how_far() -> None:
    """Before the first byte it tells no figure."""
    assert words(
        view("migrate", "h1/web-1", Step(StepKind.MOVE, "move it to h2", "h1", done=43.0, total=100.0, to="h2"))
    ) == {"h1/web-1": "migrating to h2 43 %"}
    assert words(view("migrate", "h1/web-1", Step(StepKind.MOVE, "move it to h2", "h1", to="h2"))) == {
        "h1/web-1": "migrating to h2"
    }
    assert words(view("migrate", "h1/web-1", Step(StepKind.LOOK, "check whether the VM can run there", "h2"))) == {
        "h1/web-1": "migrating"
    }


def test_a_plan_of_moves_tells_each_of_its_vms() -> None:
    """By the step that names it; the others' names don't matter, nor what has ended."""
    steps = (
        Step(StepKind.MOVE, "move web to h3", "h1", Progress.DONE, vm="web", to="h3"),
        Step(StepKind.MOVE, "move web-1 to h2", "h1", done=43.0, total=100.0, vm="web-1", to="h2"),
        Step(StepKind.MOVE, "move web to h1", "h2", vm="web", to="h1"),
    )
    assert words(view("drain", "h1", *steps)) == {"h1/web-1": "migrating to h2 43 %", "h2/web": "migrating to h1"}


def test_of_several_each_has_its_own_steps() -> None:
    """A migration's are those that follow the step that names the VM, on its host."""
    steps = (
        Step(StepKind.MIGRATE, "migrate web", "h1", Progress.DONE, vm="web"),
        Step(StepKind.MOVE, "move it to h2", "h1", Progress.DONE, to="h2"),
        Step(StepKind.MIGRATE, "migrate web-1", "h1", vm="web-1"),
        Step(StepKind.MOVE, "move it to h3", "h1", done=1.0, total=2.0, to="h3"),
    )
    assert words(view("migrate", "h1/web and h1/web-1", *steps)) == {"h1/web-1": "migrating to h3 50 %"}
    starting = (
        Step(StepKind.REGISTER, "wait until web registers", "h1", done=3.0, total=60.0, vm="web"),
        Step(StepKind.START, "start web-1", "h1", vm="web-1"),
    )
    assert words(view("start", "h1/web and h1/web-1", *starting)) == {
        "h1/web": "registering 3 s of 60 s",
        "h1/web-1": "starting",
    }


def test_a_task_that_ended_says_nothing_and_one_that_is_told_to_end_says_so() -> None:
    """The state is there again."""
    assert under_way([view("start", "h1/web", progress=Progress.DONE)], [WEB]) is NOTHING
    assert words(view("start", "h1/web", Step(StepKind.START, "start web", "h1", vm="web"), cancelling=True)) == {
        "h1/web": "cancelling"
    }


async def test_the_row_follows_the_task(tmp_path: Path) -> None:
    """With every report, and back to the state at the end."""
    session = world.standing(tmp_path)
    app = RealmsApp(session)

    def job(control: Control) -> str:
        with control.step(StepKind.REGISTER, "wait until web-00 registers", "h1", vm="web-00") as step:
            while True:
                step.progress(12.0, 60.0, "s")
                control.wait(0.01)

    def state() -> str:
        row = grid_of(app).model.row(world.vms("h1", 1, 0)[0].key)
        assert row is not None
        return plain(row.cells[2])

    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2")
        await settle(pilot)
        assert state() == "running"
        number = app.run_task("start", "h1/web-00", job)
        await until(pilot, lambda: state() != "running")
        assert state() == "registering 12 s of 60 s"
        session.tasks.cancel(number)
        await until(pilot, lambda: state() == "running")


@SIZES
def test_the_rows(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """One registers, one migrates, one is told to end; nothing is cut."""
    session = world.standing(tmp_path)
    session.tasks = Tasks(session.clock, user="admin")
    app = RealmsApp(session)
    going_on, at_work = threading.Event(), threading.Barrier(4)

    def job(kind: StepKind, what: str, done: float, total: float) -> Callable[[Control], str]:
        def work(control: Control) -> str:
            with control.step(kind, what, "h3", to="h2") as step:
                step.progress(done, total, "s")
                at_work.wait(30.0)
                going_on.wait(30.0)
            return ""

        return work

    async def prepare(pilot: Pilot[int]) -> None:
        await pilot.press("2", "slash", *"host:^h3$", "enter")
        await settle(pilot)
        app.run_task("create", "ml-train-07", job(StepKind.REGISTER, "wait until ml-train-07 registers", 12.0, 60.0))
        app.run_task("migrate", "h3/web-sandbox", job(StepKind.MOVE, "move it to h2", 43.0, 100.0))
        cancelled = app.run_task("snapshot", "h3/ml-train-04", job(StepKind.COPY, "copy vda", 1.0, 2.0))
        at_work.wait(30.0)
        session.tasks.cancel(cancelled)
        app.tick()
        await settle(pilot)

    with left_waiting("tasks"):
        assert picture(app, size, prepare=prepare)
    going_on.set()
