"""The plans as pictures: each kind, narrow and usual, none, and of a host that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.placement.engine.request import Request
from tests.tui import world
from tests.tui.driving import settle
from tests.tui.sizes import MIDDLE, SMALL
from tui.app.app import RealmsApp
from tui.screens.plans.area import PlansScreen
from tui.state.settings import Settings
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from core.fleet.fleet import HostSnapshot

GIB = 2**30


def app_of(given: tuple[HostSnapshot, ...] | None = None, theme: str = "", memory: int = 20 * GIB) -> RealmsApp:
    """Make the application on a saved fleet, with a request."""
    app = RealmsApp(world.saved(given), Settings(theme=theme))
    app.request = Request(4, memory)
    return app


def after(*keys: str) -> Callable[[Pilot[int]], object]:
    """Go to the plans and press keys, waiting after each until what it asks for is shown."""

    async def go(pilot: Pilot[int]) -> None:
        for key in ("5", *keys):
            await pilot.press(key)
            await settle(pilot)
            for _ in range(500):
                screen = pilot.app.screen
                if not isinstance(screen, PlansScreen) or screen.desk.asked is None:
                    break
                if screen.desk.shown is screen.desk.asked and not screen.is_planning:
                    break
                await pilot.pause(0.02)
            await settle(pilot)
        await pilot.pause(0.2)

    return go


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("key", ["c", "f", "d", "b"], ids=["capacity", "failure", "drain", "rebalance"])
def test_a_plan(snap_compare: Callable[..., bool], key: str, size: tuple[int, int]) -> None:
    """One host does not answer, one is off, one has a profile that nobody knows."""
    assert snap_compare(app_of(), terminal_size=size, run_before=after(key))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_room(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    """A large VM needs others to go."""
    full = [world.vm(f"a-{i}", "h1", i, vcpus=2, memory_bytes=100 * GIB) for i in range(8)]
    other = [world.vm(f"b-{i}", "h2", 50 + i, vcpus=2, memory_bytes=100 * GIB) for i in range(7)]
    given = (world.seen(world.host("h1"), full), world.seen(world.host("h2"), other))
    assert snap_compare(app_of(given, memory=250 * GIB), terminal_size=size, run_before=after("o"))


def test_the_drain_of_a_host_that_does_not_answer(snap_compare: Callable[..., bool]) -> None:
    """Nothing moves, each VM says why."""
    assert snap_compare(app_of(), terminal_size=SMALL, run_before=after("j", "j", "j", "j", "d"))


def test_the_drain_of_a_host_with_devices(snap_compare: Callable[..., bool]) -> None:
    """Some have no other place, one is off."""
    assert snap_compare(app_of(), terminal_size=MIDDLE, run_before=after("j", "j", "d", "j"))


@pytest.mark.parametrize("key", ["c", "d"], ids=["capacity", "drain"])
def test_no_hosts_to_plan_for(snap_compare: Callable[..., bool], key: str) -> None:
    """A sentence says so."""
    assert snap_compare(app_of(()), terminal_size=SMALL, run_before=after(key))


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_a_plan_in_another_theme(snap_compare: Callable[..., bool], theme: str) -> None:
    """The failure, with its homeless."""
    assert snap_compare(app_of(theme=theme), terminal_size=SMALL, run_before=after("f"))


@pytest.mark.parametrize("key", ["e", "h"], ids=["request", "host"])
def test_what_is_asked(snap_compare: Callable[..., bool], key: str) -> None:
    """The form of the request, the list of hosts."""
    assert snap_compare(app_of(), terminal_size=SMALL, run_before=after(key))
