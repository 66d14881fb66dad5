"""Steps that tests of the running application have in common: waiting for it, and reading what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Static

from tests.driver.worlds import LONG
from tui.app.app import RealmsApp
from tui.screens.hosts.confirm_change import ConfirmChange
from tui.screens.hosts.wizard.wizard import HostWizard
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot
    from textual.widget import Widget

    from core.hosts import Host
    from core.operations.tasks.task import TaskView
    from tests.tui.world import StandingWorkplace


def app_of(pilot: Pilot[int]) -> RealmsApp:
    """Return the application by its own type."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    return app


async def settle(pilot: Pilot[int]) -> None:
    """Let everything that was asked for happen."""
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[int], satisfied: Callable[[], object]) -> None:
    """Wait until something holds and is drawn; a busy machine is no failure."""
    for _ in range(int(LONG / 0.02)):
        if satisfied():
            await settle(pilot)
            return
        await pilot.pause(0.02)
    pytest.fail(f"waited in vain; the screen:\n{screen_text(app_of(pilot))}")


async def done(pilot: Pilot[int]) -> None:
    """Wait until the changes that were begun are written and told."""
    await settle(pilot)
    await until(pilot, lambda: not app_of(pilot).changes_pending)


async def ended(pilot: Pilot[int]) -> None:
    """Wait until every task has ended and was told."""
    app = app_of(pilot)
    await settle(pilot)
    await until(pilot, lambda: not app.workplace.tasks.running() and not app._ongoing._started)
    app.tick()
    await settle(pilot)


async def worked_out(pilot: Pilot[int]) -> ConfirmChange:
    """Wait until the dialog in front has nothing left to work out."""
    app = app_of(pilot)
    await until(pilot, lambda: isinstance(app.screen, ConfirmChange) and app.screen.effects.complete)
    assert isinstance(app.screen, ConfirmChange)
    return app.screen


def grid_of(app: RealmsApp) -> Grid:
    """Return the table in front."""
    return app.screen.query_one(Grid)


def wizard_of(app: RealmsApp) -> HostWizard:
    """Return the wizard, also where a dialog is before it."""
    return next(screen for screen in app.screen_stack if isinstance(screen, HostWizard))


def text_of(widget: Widget) -> str:
    """Return what a widget shows, line by line."""
    return "\n".join(strip.text for strip in widget.render_lines(widget.outer_size.region))


def screen_text(app: RealmsApp) -> str:
    """Return everything on the screen as it is sent to the terminal, line by line."""
    background = app.screen.styles.background
    strips = app.screen._compositor.render_strips()
    lines = [app._sanitizer.apply(list(strip), background) for strip in strips]
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def screen_words(app: RealmsApp) -> str:
    """Return everything on the screen in one line, without the frames at its sides."""
    return " ".join(screen_text(app).replace("│", " ").split())


def dialog_text(app: RealmsApp) -> str:
    """Return all text of the dialog in front."""
    return "\n".join(text_of(widget) for widget in app.screen.query(Static))


def dialog_words(app: RealmsApp) -> str:
    """Return what the dialog in front says, in one line."""
    return " ".join(dialog_text(app).split())


def told(app: RealmsApp) -> list[str]:
    """Return the messages that were shown."""
    return [notification.message for notification in app._notifications]


def registered(workplace: StandingWorkplace, name: str) -> Host:
    """Return a host as the registry has it now."""
    assert workplace.registry is not None
    return workplace.registry.host(name)


def names_registered(workplace: StandingWorkplace) -> set[str]:
    """Return the names of all hosts in the registry."""
    assert workplace.registry is not None
    return {host.name for host in workplace.registry.hosts()}


def reworded(view: TaskView) -> TaskView:
    """Return a task all of whose steps say "x", whatever they do."""
    return replace(view, steps=tuple(replace(step, what="x", detail=step.detail and "x") for step in view.steps))
