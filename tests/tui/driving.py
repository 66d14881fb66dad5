"""Steps that tests of the running application have in common: waiting for it, and reading what it shows."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Static

from tests.driver.worlds import LONG
from tui.app.app import RealmsApp
from tui.screens.hosts.confirm_change import ConfirmChange
from tui.screens.hosts.wizard.wizard import HostWizard
from tui.terminal.shell import Shell
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.pilot import Pilot
    from textual.widget import Widget

    from core.hosts import Host
    from core.operations.tasks.task import TaskView
    from tests.tui.world import StandingSession

POLL = 0.002
"""Seconds between two looks: what happens in a thread wakes no test."""
QUIET_TURNS = 4
"""Turns of the event loop in which nothing may happen: a callback can be between two pumps in one or two."""


def app_of(pilot: Pilot[int]) -> RealmsApp:
    """Return the application by its own type."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    return app


_left_waiting: ContextVar[frozenset[str]] = ContextVar("_left_waiting", default=frozenset())


@contextmanager
def left_waiting(*kinds: str) -> Iterator[None]:
    """Let what a test holds back on purpose count as settled: kinds of `RealmsApp.unsettled`."""
    token = _left_waiting.set(_left_waiting.get() | frozenset(kinds))
    try:
        yield
    finally:
        _left_waiting.reset(token)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until nothing is under way any more, and all is drawn; fails with what is still under way."""
    app = pilot.app
    deadline = monotonic() + LONG
    while True:
        await quiet(app, deadline)
        if isinstance(app, RealmsApp):
            app.tick()
            await quiet(app, deadline)
        under_way = _under_way(app)
        if has_ended(app) or not under_way:
            return
        if monotonic() > deadline:
            pytest.fail(f"not settled: {under_way}; the screen:\n{screen_text(app)}")
        await asyncio.sleep(POLL)


async def quiet(app: App[Any], deadline: float | None = None) -> None:
    """Wait until every message has been handled and all is drawn; jobs, tasks and the like may go on."""
    deadline = monotonic() + LONG if deadline is None else deadline
    turns = 0
    while turns < QUIET_TURNS and not has_ended(app):
        moving = _moving(app)
        if moving and monotonic() > deadline:
            pytest.fail(f"not quiet: {moving[:10]}; the screen:\n{screen_text(app)}")
        turns = 0 if moving else turns + 1
        await asyncio.sleep(POLL if moving else 0)


def has_ended(app: App[Any]) -> bool:
    """Whether the application has been left, or has failed."""
    return not app._running or app._exit or app._exception is not None


def _under_way(app: App[Any]) -> dict[str, int]:
    counts = app.unsettled() if isinstance(app, RealmsApp) else {}
    workers = sum(1 for worker in app.workers if not worker.is_finished)
    return {kind: n for kind, n in (counts | {"workers": workers}).items() if n and kind not in _left_waiting.get()}


def _moving(app: App[Any]) -> list[str]:
    """Draw what is to be drawn, and list what has messages or anything else to do before it can rest."""
    found = [str(pump) for pump in (app, *app._registry) if not _rests(pump)]
    if isinstance(app, Shell) and app.keyboard.is_busy:
        found.append("a key")
    if not found and app._screen_stack:
        screen = app.screen
        screen._on_timer_update()
        if screen._dirty_widgets or screen._layout_required or screen._callbacks or not _rests(screen):
            found.append(f"drawing {screen}")
    if app._resize_event is not None or app._resize_timer is not None:
        found.append("a new size")
    if app._animator._animations or app._animator._scheduled:
        found.append("animations")
    return found


def _rests(pump: MessagePump) -> bool:
    """Whether it waits for a message, and none is there: being handled counts as there."""
    if pump._closed or (pump._is_mounted and not pump._running):
        return True
    queue = pump._message_queue
    waits = queue.empty() and any(not waiter.done() for waiter in queue.ready_event._waiters)
    return waits and pump._pending_message is None and not pump._next_callbacks


async def until(pilot: Pilot[Any], satisfied: Callable[[], object]) -> None:
    """Wait until something holds that a host, the clock or a job held back brings, and is drawn."""
    deadline = monotonic() + LONG
    while not satisfied():
        if monotonic() > deadline:
            pytest.fail(f"waited in vain; the screen:\n{screen_text(pilot.app)}")
        await asyncio.sleep(POLL)
        await quiet(pilot.app, deadline)
    await quiet(pilot.app, deadline)


def hold(seconds: float) -> None:
    """Hold the screen's thread, as a busy moment does."""
    sleep(seconds)


def wait_until(satisfied: Callable[[], object]) -> None:
    """Wait without an application until something holds that a thread brings."""
    deadline = monotonic() + LONG
    while not satisfied():
        assert monotonic() < deadline, "waited in vain"
        sleep(POLL)


async def ended(pilot: Pilot[int]) -> None:
    """Wait until every task has ended and was told."""
    app = app_of(pilot)
    await until(pilot, lambda: not app.session.tasks.running())
    app.tick()
    await settle(pilot)


async def worked_out(pilot: Pilot[int]) -> ConfirmChange:
    """Wait until the dialog in front has nothing left to work out."""
    app = app_of(pilot)
    await settle(pilot)
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


def screen_text(app: App[Any]) -> str:
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


def registered(session: StandingSession, name: str) -> Host:
    """Return a host as the registry has it now."""
    assert session.registry is not None
    return session.registry.host(name)


def names_registered(session: StandingSession) -> set[str]:
    """Return the names of all hosts in the registry."""
    assert session.registry is not None
    return {host.name for host in session.registry.hosts()}


def reworded(view: TaskView) -> TaskView:
    """Return a task all of whose steps say "x", whatever they do."""
    return replace(view, steps=tuple(replace(step, what="x", detail=step.detail and "x") for step in view.steps))
