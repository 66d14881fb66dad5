"""The plans as pictures: each kind, narrow and usual, none, and of a host that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.placement.engine.request import Request
from tests.tui import world
from tests.tui.driving import settle
from tests.tui.sizes import MIDDLE, SMALL
from tui.app.app import RealmsApp
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

    return go


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("key", ["c", "f", "d", "b"], ids=["capacity", "failure", "drain", "rebalance"])
def test_a_plan(picture: Callable[..., bool], key: str, size: tuple[int, int]) -> None:
    """One host does not answer, one is off, one has a profile that nobody knows."""
    assert picture(app_of(), size, prepare=after(key))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_room(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """A large VM needs others to go."""
    full = [world.vm(f"a-{i}", "h1", i, vcpus=2, memory_bytes=100 * GIB) for i in range(8)]
    other = [world.vm(f"b-{i}", "h2", 50 + i, vcpus=2, memory_bytes=100 * GIB) for i in range(7)]
    given = (world.seen(world.host("h1"), full), world.seen(world.host("h2"), other))
    assert picture(app_of(given, memory=250 * GIB), size, prepare=after("o"))


def test_the_drain_of_a_host_that_does_not_answer(picture: Callable[..., bool]) -> None:
    """Nothing moves, each VM says why."""
    assert picture(app_of(), SMALL, prepare=after("j", "j", "j", "j", "d"))


def test_the_drain_of_a_host_with_devices(picture: Callable[..., bool]) -> None:
    """Some have no other place, one is off."""
    assert picture(app_of(), MIDDLE, prepare=after("j", "j", "d", "j"))


@pytest.mark.parametrize("key", ["c", "d"], ids=["capacity", "drain"])
def test_no_hosts_to_plan_for(picture: Callable[..., bool], key: str) -> None:
    """A sentence says so."""
    assert picture(app_of(()), SMALL, prepare=after(key))


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_a_plan_in_another_theme(picture: Callable[..., bool], theme: str) -> None:
    """The failure, with its homeless."""
    assert picture(app_of(theme=theme), SMALL, prepare=after("f"))


@pytest.mark.parametrize("key", ["e", "h"], ids=["request", "host"])
def test_what_is_asked(picture: Callable[..., bool], key: str) -> None:
    """The form of the request, the list of hosts."""
    assert picture(app_of(), SMALL, prepare=after(key))
