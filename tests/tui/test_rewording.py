"""Messages are for people: whatever they say, the screens decide the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.driver.storage.pool_setup import PoolPlan
from core.operations.storage.pool_report import PoolRole
from core.operations.tasks.step_kinds import StepKind, StepOutcome
from core.operations.tasks.task import Progress, Step, TaskView
from tests.tui import world
from tests.tui.driving import reworded
from tui.render.cells import plain
from tui.render.pools.setup import Checks, HostCheck
from tui.render.pools.setup_run import SetupRun
from tui.render.vms.progress import under_way

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST = world.host("h1")
PLANS = {role: PoolPlan(name=f"ticrypt-vm-{role}", path=f"/pools/{role}") for role in PoolRole}


def task(*steps: Step, what: str = "set up pools of", target: str = "main") -> TaskView:
    """Make a task that runs."""
    return TaskView(1, what, target, "admin", world.NOW, steps=steps)


def pool_step(role: PoolRole, progress: Progress, outcome: StepOutcome | None, detail: str) -> Step:
    """Make the step of a pool."""
    return Step(StepKind.SET_UP_POOL, f"set up {PLANS[role].name}", "h1", progress, detail, role=role, outcome=outcome)


STEPS = (
    pool_step(PoolRole.VOLUMES, Progress.DONE, StepOutcome.MADE, "defined, started, autostart on"),
    pool_step(PoolRole.DRIVES, Progress.DONE, StepOutcome.UNCHANGED, "already set up"),
    pool_step(PoolRole.BRICKS, Progress.FAILED, None, "h1: permission denied"),
    pool_step(PoolRole.SNAPSHOTS, Progress.CANCELLED, None, ""),
)
UNDO = Step(StepKind.UNDO, "undo what was set up", "h1", Progress.DONE)


def shown(view: TaskView) -> list[str]:
    """Return the cells of the pools of h1, and the marks of what follows."""
    checks = Checks((HostCheck(HOST, None),), PLANS, 0)
    return [plain(line) for line in SetupRun(view, checks).lines(120)]


@pytest.mark.parametrize(
    ("steps", "cells"),
    [
        (STEPS, ["set up", "already set up", "failed", "stopped"]),
        ((*STEPS, UNDO), ["undone", "already set up", "failed", "stopped"]),
        ((STEPS[0],), ["set up", "waiting", "waiting", "waiting"]),
    ],
    ids=["ended", "undone", "begun"],
)
def test_a_pool_is_shown_by_what_came_of_its_step(steps: tuple[Step, ...], cells: list[str]) -> None:
    """The step is found by its kind, its host and its pool's role."""
    lines = shown(task(*steps))
    found = [lines[1].find(cell) for cell in cells]
    assert -1 not in found
    assert found == sorted(found)
    assert shown(reworded(task(*steps))) == lines


def test_a_proof_is_found_by_its_kind() -> None:
    """Its words are shown, not understood."""
    proof = Step(StepKind.PROVE_SHARING, "verify that storage is shared: write", detail="2 hosts")
    assert any("verify that" in line for line in shown(task(proof)))
    assert sum(line.endswith("x  x") for line in shown(reworded(task(proof)))) == 1


WEB, WEB1 = world.vm("web", "h1", 1), world.vm("web-1", "h1", 2)


def moves() -> Iterable[tuple[str, TaskView]]:
    """Return tasks that are about VMs, and what the row of one says."""
    registering = Step(StepKind.REGISTER, "wait until web registers", "h1", done=3.0, total=60.0, unit="s", vm="web")
    moving = Step(StepKind.MOVE, "move it to h2", "h1", done=1.0, total=2.0, to="h2")
    outer = Step(StepKind.MIGRATE, "migrate web", "h1", vm="web")
    yield "registering 3 s of 60 s", task(registering, what="create", target="web")
    yield "migrating to h2 50 %", task(replace(moving, vm="web"), what="drain", target="h1")
    yield "migrating to h2 50 %", task(outer, moving, what="migrate", target="h1/web and h1/web-1")
    yield "starting", task(Step(StepKind.START, "start web", "h1", vm="web"), what="start", target="2 VMs")


@pytest.mark.parametrize(("words", "view"), moves(), ids=["create", "drain", "migrate", "start"])
def test_a_vm_is_found_by_the_names_in_steps_and_not_by_their_words(words: str, view: TaskView) -> None:
    """And no other VM is."""
    for each in (view, reworded(view)):
        assert under_way([each], [WEB, WEB1]).of_host("h1") == {WEB.uuid: words}
