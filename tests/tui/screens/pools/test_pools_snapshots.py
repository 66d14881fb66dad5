"""The pools as pictures: none, well, degraded, narrow, saved; the wizard's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui import world
from tests.tui.driving import settle
from tests.tui.screens.pools import pools_world
from tests.tui.sizes import LARGE, MIDDLE, SMALL
from tui.app.app import RealmsApp
from tui.state.settings import Settings
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from core.operations.storage.pool_report import PoolsReport


def after(*keys: str, proof: PoolsReport | None = None) -> Callable[[Pilot[int]], object]:
    """Go to the pools, wait for all answers, and press keys, each once the one before is answered."""

    async def go(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, RealmsApp)
        await pilot.press("4")
        await settle(pilot)
        if proof is not None:
            app.pool_sight.take_report(proof)
        app.show()
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return go


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_pools_that_are_well(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """All active, with room, proved to be shared."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy()))
    proof = pools_world.proved(("h1", "h10", "h2", "h3"))
    assert picture(app, size, prepare=after(proof=proof))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_pools_that_are_not(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Each host has something else; h3's storage is not the others', and one of its pools is low."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.degraded()))
    run = after("j", "j", proof=pools_world.proved(("h1", "h2"), ("h3",)))
    assert picture(app, size, prepare=run)


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_pools_in_another_theme(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theme: str
) -> None:
    """On the host that lacks two."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.degraded()), Settings(theme=theme))
    run = after("j", proof=pools_world.proved(("h1", "h2"), ("h3",)))
    assert picture(app, MIDDLE, prepare=run)


def test_the_pools_of_a_host_that_does_not_answer(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was seen last, dimmed, with its age and the reason."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.degraded()))
    assert picture(app, SMALL, prepare=after("j", "j", "j", "j"))


def test_no_pools_without_hosts(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A sentence says what to do."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, ((), {})))
    assert picture(app, SMALL, prepare=after())


def test_the_pools_of_a_saved_fleet(picture: Callable[..., bool]) -> None:
    """Their state as it was saved; what would change them is dimmed."""
    assert picture(RealmsApp(world.saved()), SMALL, prepare=after("G"))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_what_lies_in_pools(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """Two of four hosts answer: who uses what is not known for sure."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy()))
    assert picture(app, size, prepare=after("enter"))


def test_a_drive_that_the_realm_would_refuse(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both fields say what is wrong."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy()))
    run = after("enter", "n", *"../x", "tab", *"20", "space", *"gib", "ctrl+s")
    assert picture(app, SMALL, prepare=run)


def wizard_app(monkeypatch: pytest.MonkeyPatch, folder: Path) -> RealmsApp:
    """Make an application on hosts of which h2 lacks two pools, h7 all; h5 does not answer, h6 is off."""
    return RealmsApp(pools_world.standing(monkeypatch, folder, pools_world.degraded()))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_the_wizard_asks_for_hosts(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """With how they are reached, and what they lack; two were marked."""
    run = after("space", "space", "S")
    assert picture(wizard_app(monkeypatch, tmp_path), size, prepare=run)


def test_the_wizard_asks_for_pools(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those that are missing somewhere are ticked."""
    run = after("j", "S", "ctrl+s")
    assert picture(wizard_app(monkeypatch, tmp_path), SMALL, prepare=run)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_the_wizard_asks_for_their_place(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """It proposes what the other hosts have; what is wrong is said at the field."""
    run = after("j", "S", "ctrl+s", "ctrl+s", "tab", *"x y", "tab", *"10 gb")
    assert picture(wizard_app(monkeypatch, tmp_path), size, prepare=run)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_the_wizard_checks(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """What is there on each host and what will be done; a pool that lies elsewhere stops it here."""
    run = after("space", "space", "space", "j", "space", "S", "ctrl+s", "a", "a", "ctrl+s", "ctrl+s")
    assert picture(wizard_app(monkeypatch, tmp_path), size, prepare=run)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_the_wizard_shows_what_it_will_do(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    """The definitions, and for each host the commands of what is missing there."""
    run = after("j", "S", "ctrl+s", "ctrl+s", "ctrl+s", "ctrl+s")
    assert picture(wizard_app(monkeypatch, tmp_path), size, prepare=run)
