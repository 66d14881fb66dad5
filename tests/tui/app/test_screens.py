"""Whole screens as pictures: empty, normal, degraded, narrow, light; compared stroke by stroke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.codes import DiagnosticCode
from core.diagnostics import Diagnostic, Severity
from core.errors import ConfigurationInvalid
from tests.tui import world
from tests.tui.driving import worked_out
from tests.tui.sizes import LARGE, MIDDLE, SMALL
from tui.app.app import RealmsApp
from tui.app.welcome import WelcomeApp
from tui.state.settings import Settings
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.pilot import Pilot

    from core.fleet.fleet import HostSnapshot


def app_of(given: tuple[HostSnapshot, ...] | None = None, theme: str = "") -> RealmsApp:
    """Make the application on a saved fleet: nothing moves by itself."""
    return RealmsApp(world.saved(given), Settings(theme=theme))


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_hosts(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Six that answer, one that doesn't, one that is off; the third in detail."""
    assert picture(app_of(), size, "j", "j")


def test_hosts_that_do_not_answer(picture: Callable[..., bool]) -> None:
    """What was seen last is dimmed and has its age; nothing is claimed."""
    assert picture(app_of(), MIDDLE, "j", "j", "j", "j")


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_hosts_in_another_theme(picture: Callable[..., bool], theme: str) -> None:
    """Marked and sorted."""
    assert picture(app_of(theme=theme), MIDDLE, "T", "space", "space")


def test_no_hosts_yet(picture: Callable[..., bool]) -> None:
    """A sentence says what to do."""
    assert picture(app_of(()), SMALL)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_vms(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Of all hosts, filtered to two; those of the one that doesn't answer are unknown."""
    keys = ["2", "slash", *"host:^h[35]$", "enter"]
    assert picture(app_of(), size, *keys)


def test_one_host(picture: Callable[..., bool]) -> None:
    """Its cost by term, its facts, its pools, its VMs."""
    assert picture(app_of(), MIDDLE, "j", "j", "enter")


def test_one_vm(picture: Callable[..., bool]) -> None:
    """Everything that is known of it."""
    keys = ["2", "slash", *"ml-train-04", "enter", "enter"]
    assert picture(app_of(), SMALL, *keys)


def test_the_keys(picture: Callable[..., bool]) -> None:
    """Of the hosts' area."""
    assert picture(app_of(), MIDDLE, "question_mark")


def test_disabling_several_hosts(picture: Callable[..., bool], tmp_path: Path) -> None:
    """The dialog names them and their VMs; Cancel has the focus."""
    app = RealmsApp(world.standing(tmp_path))

    async def ask(pilot: Pilot[object]) -> None:
        await pilot.press("space", "space", "space", "x")
        await worked_out(pilot)

    assert picture(app, MIDDLE, prepare=ask)


def test_the_form_of_a_host(picture: Callable[..., bool], tmp_path: Path) -> None:
    """On a small terminal, with a mistake."""

    async def fill_in(pilot: Pilot[object]) -> None:
        await pilot.press("e", "backspace", "2", "ctrl+s")

    app: App[object] = RealmsApp(world.standing(tmp_path))  # type: ignore[assignment]
    assert picture(app, SMALL, prepare=fill_in)


def test_the_first_start(picture: Callable[..., bool]) -> None:
    """Where a configuration was looked for."""
    searched = [Path("ticrypt-vm.conf"), Path("/etc/ticrypt/ticrypt-vm.conf")]
    assert picture(WelcomeApp(searched), SMALL)


def test_a_start_with_an_invalid_configuration(picture: Callable[..., bool]) -> None:
    """Its mistakes, with their places and how to mend them."""
    found = [
        Diagnostic(
            Severity.ERROR, DiagnosticCode.UNKNOWN_CACHE_MODE, "realms/main.conf", 3, 9,
            "ticrypt.vm.realms.main.drives.cache",
            "unknown cache mode 'fast'", "one of default, writethrough, writeback, none",
        ),
        Diagnostic(
            Severity.WARNING, DiagnosticCode.NO_MEMORY_LIMIT, "ticrypt-vm.conf", 12, 5, "ticrypt.vm.cost-functions.cpu",
            "no curve for memory",
        ),
    ]  # fmt: skip
    error = ConfigurationInvalid("/etc/ticrypt/ticrypt-vm.conf has errors", found)
    assert picture(WelcomeApp([], error), MIDDLE)
