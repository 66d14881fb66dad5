"""A registry that can't be read: said on every screen for as long as it lasts, at the start and later."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.hosts import HostState
from core.operations.session import Session
from core.registry.hosts import HostRegistry
from tests.tui import world
from tests.tui.driving import text_of, until, wait_until
from tui.app.app import RealmsApp
from tui.app.areas import AREAS
from tui.screens.dialogs.confirm import Confirm
from tui.widgets.bars import HeaderLine
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


Fault = tuple["Callable[[Path], None]", "Callable[[Path], None]", str, str]
"""How a registry is spoilt, how it is mended, what is said of it, and how it is said to be mended."""


def spoil_file(registry: Path) -> None:
    """Leave half a file, and the good copy beside it."""
    registry.with_name("kept").write_bytes(registry.read_bytes())
    registry.write_text("{")


def mend_file(registry: Path) -> None:
    """Put the good copy back."""
    registry.with_name("kept").replace(registry)


def spoil_folder(registry: Path) -> None:
    """Put a file where the folder was: like one without permission, it can't be looked into, by root either."""
    registry.parent.rename(registry.parent.with_name("aside"))
    registry.parent.write_text("")


def mend_folder(registry: Path) -> None:
    """Put the folder back."""
    registry.parent.unlink()
    registry.parent.with_name("aside").rename(registry.parent)


def lose_folder(registry: Path) -> None:
    """Take the folder away, as when its file system is unmounted."""
    registry.parent.rename(registry.parent.with_name("aside"))


def find_folder(registry: Path) -> None:
    """Mount it again."""
    registry.parent.with_name("aside").rename(registry.parent)


DAMAGED: Fault = (spoil_file, mend_file, "is damaged: it is not JSON", "registry restore --salvaged")
UNREADABLE: Fault = (spoil_folder, mend_folder, "can't be read: Not a directory", "")
LOST: Fault = (lose_folder, find_folder, "no longer exists", "mount its file system")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Make a session with two hosts that nobody connects to."""
    (tmp_path / "r").mkdir()
    registry = HostRegistry(tmp_path / "r" / "r.json", SystemClock())
    for name in ("h1", "h2"):
        registry.add(world.host(name, state=HostState.DISABLED), world.CONFIGURATION)
    for copy in (tmp_path / "r").glob("r.json.*"):
        copy.unlink()
    return Session(world.CONFIGURATION, registry=registry)


def header(app: RealmsApp) -> str:
    """Return what the line above says, its warning in one line."""
    lines = [line for screen in app.screen_stack for line in screen.query(HeaderLine)]
    return " ".join(text_of(lines[-1]).split()) if lines else ""


def registry_of(session: Session) -> Path:
    """Return the registry's file."""
    assert session.registry is not None
    return session.registry.path


@pytest.mark.parametrize("fault", [DAMAGED, UNREADABLE, LOST], ids=["damaged", "unreadable", "lost"])
async def test_what_becomes_unreadable_is_said_on_every_screen_until_it_is_mended(
    session: Session, fault: Fault
) -> None:
    """With what is wrong and how to mend it; the hosts stay as they were read last."""
    spoil, mend, what, how = fault
    app = RealmsApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "2 hosts" in header(app) or "0 hosts" in header(app))
        assert what not in header(app)
        spoil(registry_of(session))
        await until(pilot, lambda: what in header(app))
        for area in AREAS:
            app.action_area(area.id)
            await until(pilot, lambda: what in header(app) and how in header(app))
            assert app.screen.query_one(HeaderLine).outer_size.height > 1
        assert app.fleet is not None
        assert [host.name for host in app.fleet.hosts] == ["h1", "h2"]
        mend(registry_of(session))
        await until(pilot, lambda: what not in header(app))
        assert app.screen.query_one(HeaderLine).outer_size.height == 1
        app.action_area("hosts")
        await until(pilot, lambda: "h2" in text_of(app.screen.query_one(Grid)) and what not in header(app))


async def test_a_screen_behind_a_dialog_says_it_too(session: Session) -> None:
    """Its line above is seen beside the dialog."""
    app = RealmsApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.fleet is not None)
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        spoil_file(registry_of(session))
        await until(pilot, lambda: DAMAGED[2] in header(app))
        mend_file(registry_of(session))
        await until(pilot, lambda: DAMAGED[2] not in header(app))


@pytest.mark.parametrize("fault", [DAMAGED, UNREADABLE], ids=["damaged", "unreadable"])
async def test_what_is_unreadable_at_the_start_is_said_in_place_of_the_hosts_until_it_is_mended(
    session: Session, fault: Fault
) -> None:
    """However often it is tried again; then the hosts come by themselves."""
    spoil, mend, what, how = fault
    spoil(registry_of(session))
    app = RealmsApp(session)
    tries: list[float] = []
    connect = session.connect

    def count_tries() -> object:
        tries.append(time.monotonic())
        return connect()

    session.connect = count_tries  # type: ignore[method-assign, assignment]
    async with app.run_test(size=(120, 40)) as pilot:
        for wanted in (1, 2, 3):
            await until(pilot, lambda wanted=wanted: len(tries) >= wanted)  # type: ignore[misc]
            await until(pilot, lambda: what in text_of(app.screen.query_one(Grid)) and how in header(app))
            assert "No hosts yet" not in text_of(app.screen.query_one(Grid))
        app.run_task("rest", "", lambda _: "rested")  # what is done meanwhile reads no registry
        await until(pilot, lambda: any(note.message == "rested" for note in app._notifications))
        mend(registry_of(session))
        await until(pilot, lambda: "h2" in text_of(app.screen.query_one(Grid)))
        assert what not in header(app)


def test_a_registry_made_anew_is_taken_in_the_place_of_a_lost_one(session: Session) -> None:
    """By the first host that is added."""
    session.connect()
    lose_folder(registry_of(session))
    wait_until(lambda: session.registry_error)
    session.add_host(world.host("h9", state=HostState.DISABLED))
    assert [host.name for host in session.fleet().hosts] == ["h9"]
    assert not session.registry_error
    session.close()
