"""Plans that are carried out as pictures: asked about, under way, over, stopped, and left by another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.operations.plans.run import MoveState
from tests.tui import world
from tests.tui.driving import ended, left_waiting, until
from tests.tui.screens.plans.plans_world import (
    Held,
    be_stopped,
    be_under_way,
    come_to_its_end,
    follow,
    foreign,
    leave_behind,
    left_line,
    planned,
    pressed,
    run_of,
    small_fleet,
    states,
)
from tests.tui.sizes import SIZES, SMALL
from tui.app.app import RealmsApp
from tui.screens.dialogs.form import VMForm
from tui.screens.plans.dialogs import ApplyPlan, ResumePlan
from tui.screens.plans.mix_form import MixForm
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from core.fleet.fleet import HostSnapshot
    from core.operations.plans.run import PlanRun


def app_in(folder: Path, given: tuple[HostSnapshot, ...] | None = None) -> RealmsApp:
    """Make the application on a fleet that stands still."""
    return RealmsApp(world.standing(folder, given or small_fleet()))


def course(
    app: RealmsApp, stand: Callable[[PlanRun], None], *, ends: bool = False
) -> Callable[[Pilot[int]], Awaitable[object]]:
    """Return what shows a run that stands as `stand` lets it, its task at work or ended."""

    async def go(pilot: Pilot[int]) -> None:
        held, run = Held(), run_of(app.session)
        screen = await planned(pilot, "5")
        follow(screen, run, held)
        await until(pilot, held.at_work.is_set)
        stand(run)
        if ends:
            held.go_on.set()
            await ended(pilot)
            app.clear_notifications()
        app.tick()
        await until(pilot, lambda: states(screen)[0] == "moved")
        await pilot.press("j")

    return go


@SIZES
def test_a_drain_is_asked_about(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """What moves where, what stays and why, a warning of foreign VMs, and the name to type."""
    h1, h2, h3 = small_fleet()
    app = app_in(tmp_path, (h1, foreign(h2), h3))

    async def before(pilot: Pilot[int]) -> None:
        await planned(pilot, "5")
        await planned(pilot, "j", "d")
        await pressed(pilot, "a", ApplyPlan)

    assert picture(app, size, prepare=before)


def test_foreign_vms_and_devices_are_warned_of(picture: Callable[..., bool], tmp_path: Path) -> None:
    """A host of each."""
    h1, h2, h3 = small_fleet()
    gpus = world.seen(world.host("h4", "a100-node"), world.gpu_vms("h4"))
    app = app_in(tmp_path, (h1, foreign(h2), h3, gpus, world.seen(world.host("h5", "a100-node"))))

    async def before(pilot: Pilot[int]) -> None:
        await planned(pilot, "5")
        screen = await planned(pilot, "j", "j", "j", "d")
        await pressed(pilot, "t", VMForm)
        await pilot.press("down", "space", "ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        await planned(pilot)
        await pressed(pilot, "a", ApplyPlan)

    assert picture(app, SMALL, prepare=before)


@SIZES
def test_a_plan_under_way(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """Moved, failed, sent in part, elsewhere than agreed, waiting."""
    app = app_in(tmp_path)
    with left_waiting("tasks"):
        assert picture(app, size, prepare=course(app, be_under_way))


@SIZES
def test_a_plan_that_is_over(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """One failed, one is not moved any more."""
    app = app_in(tmp_path)
    assert picture(app, size, prepare=course(app, come_to_its_end, ends=True))


@SIZES
def test_a_plan_that_was_stopped(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """How it goes on."""
    app = app_in(tmp_path)
    assert picture(app, size, prepare=course(app, be_stopped, ends=True))


def test_a_plan_is_to_be_stopped(picture: Callable[..., bool], tmp_path: Path) -> None:
    """What is under way comes to its end, unless it is called off too."""
    app = app_in(tmp_path)

    async def before(pilot: Pilot[int]) -> None:
        await course(app, be_under_way)(pilot)
        await pressed(pilot, "x", VMForm)

    with left_waiting("tasks"):
        assert picture(app, SMALL, prepare=before)


@SIZES
def test_what_another_program_left(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """A line in every plan offers it."""
    app = app_in(tmp_path)
    leave_behind(app.session, MoveState.DONE, MoveState.FAILED)

    async def before(pilot: Pilot[int]) -> None:
        screen = await planned(pilot, "5")
        await until(pilot, lambda: left_line(screen))

    assert picture(app, size, prepare=before)


def test_what_is_left_is_asked_about(picture: Callable[..., bool], tmp_path: Path) -> None:
    """What has failed is not tried again."""
    app = app_in(tmp_path)
    leave_behind(app.session, MoveState.DONE, MoveState.FAILED)

    async def before(pilot: Pilot[int]) -> None:
        screen = await planned(pilot, "5")
        await until(pilot, lambda: left_line(screen))
        await pressed(pilot, "u", ResumePlan)

    assert picture(app, SMALL, prepare=before)


@SIZES
def test_a_mix(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """Two sizes: how often the whole mix fits, and where one would go."""
    app = app_in(tmp_path)

    async def before(pilot: Pilot[int]) -> None:
        await planned(pilot, "5", "m")
        await pressed(pilot, "e", MixForm)
        for key, text in {"count-0": "3", "count-1": "1", "vcpus-1": "16", "memory-1": "128 GiB"}.items():
            next(row for row in app.screen.query(FieldRow) if row.field.key == key).write(text)
        await pilot.press("ctrl+s")
        await planned(pilot)

    assert picture(app, size, prepare=before)


def test_a_mix_as_it_is_typed(picture: Callable[..., bool], tmp_path: Path) -> None:
    """With what is wrong with it."""
    app = app_in(tmp_path)

    async def before(pilot: Pilot[int]) -> None:
        await planned(pilot, "5", "m")
        await pressed(pilot, "e", MixForm)
        for key, text in {"count-1": "2", "vcpus-1": "8", "memory-1": "8 GB", "devices-1": "a1000"}.items():
            next(row for row in app.screen.query(FieldRow) if row.field.key == key).write(text)

    assert picture(app, SMALL, prepare=before)
