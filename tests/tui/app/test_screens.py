"""Whole screens as pictures: empty, normal, degraded, narrow, light; compared stroke by stroke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.codes import DiagnosticCode
from core.diagnostics import Diagnostic, Severity
from core.errors import ConfigurationInvalid
from tests.tui import world
from tests.tui.driving import settle, worked_out
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
def test_hosts(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    """Six that answer, one that doesn't, one that is off; the third in detail."""
    assert snap_compare(app_of(), terminal_size=size, press=["j", "j"], run_before=settle)


def test_hosts_that_do_not_answer(snap_compare: Callable[..., bool]) -> None:
    """What was seen last is dimmed and has its age; nothing is claimed."""
    assert snap_compare(app_of(), terminal_size=MIDDLE, press=["j", "j", "j", "j"], run_before=settle)


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_hosts_in_another_theme(snap_compare: Callable[..., bool], theme: str) -> None:
    """Marked and sorted."""
    assert snap_compare(app_of(theme=theme), terminal_size=MIDDLE, press=["T", "space", "space"], run_before=settle)


def test_no_hosts_yet(snap_compare: Callable[..., bool]) -> None:
    """A sentence says what to do."""
    assert snap_compare(app_of(()), terminal_size=SMALL, run_before=settle)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_vms(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    """Of all hosts, filtered to two; those of the one that doesn't answer are unknown."""
    keys = ["2", "slash", *"host:^h[35]$", "enter"]
    assert snap_compare(app_of(), terminal_size=size, press=keys, run_before=settle)


def test_one_host(snap_compare: Callable[..., bool]) -> None:
    """Its cost by term, its facts, its pools, its VMs."""
    assert snap_compare(app_of(), terminal_size=MIDDLE, press=["j", "j", "enter"], run_before=settle)


def test_one_vm(snap_compare: Callable[..., bool]) -> None:
    """Everything that is known of it."""
    keys = ["2", "slash", *"ml-train-04", "enter", "enter"]
    assert snap_compare(app_of(), terminal_size=SMALL, press=keys, run_before=settle)


def test_the_keys(snap_compare: Callable[..., bool]) -> None:
    """Of the hosts' area."""
    assert snap_compare(app_of(), terminal_size=MIDDLE, press=["question_mark"], run_before=settle)


def test_disabling_several_hosts(snap_compare: Callable[..., bool], tmp_path: Path) -> None:
    """The dialog names them and their VMs; Cancel has the focus."""
    app = RealmsApp(world.standing(tmp_path))

    async def ask(pilot: Pilot[object]) -> None:
        await settle(pilot)
        await pilot.press("space", "space", "space", "x")
        await worked_out(pilot)

    assert snap_compare(app, terminal_size=MIDDLE, run_before=ask)


def test_the_form_of_a_host(snap_compare: Callable[..., bool], tmp_path: Path) -> None:
    """On a small terminal, with a mistake."""

    async def fill_in(pilot: Pilot[object]) -> None:
        await pilot.pause(0.3)
        await pilot.press("e", "backspace", "2", "ctrl+s")
        await settle(pilot)

    app: App[object] = RealmsApp(world.standing(tmp_path))  # type: ignore[assignment]
    assert snap_compare(app, terminal_size=SMALL, run_before=fill_in)


def test_the_first_start(snap_compare: Callable[..., bool]) -> None:
    """Where a configuration was looked for."""
    searched = [Path("ticrypt-vm.conf"), Path("/etc/ticrypt/ticrypt-vm.conf")]
    assert snap_compare(WelcomeApp(searched), terminal_size=SMALL, run_before=settle)


def test_a_start_with_an_invalid_configuration(snap_compare: Callable[..., bool]) -> None:
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
    assert snap_compare(WelcomeApp([], error), terminal_size=MIDDLE, run_before=settle)
