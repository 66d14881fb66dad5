"""Whole screens of the cost explorer, as pictures to compare: empty, usual, degraded, narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.costs.costs_world import fleet, host, usual_fleet
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable


def test_without_hosts(snap_compare: Callable[..., bool]) -> None:
    """The fields, and a sentence."""
    assert snap_compare(CostsApp(fleet()), terminal_size=(120, 40))


def test_usual(snap_compare: Callable[..., bool]) -> None:
    """Ranking, refused, terms and curves of the best host."""
    assert snap_compare(CostsApp(usual_fleet()), terminal_size=(120, 40), press=["m", "6", "4", "enter"])


def test_large_light_with_devices(snap_compare: Callable[..., bool]) -> None:
    """All curves at once, a step drawn as a step."""
    app = CostsApp(usual_fleet(), theme=LIGHT)
    assert snap_compare(app, terminal_size=(200, 60), press=["d", "1", "enter"])


def test_degraded(snap_compare: Callable[..., bool]) -> None:
    """No host fits: the first refused one is shown, with its use in the infinite band."""
    hosts = fleet(host("h1", (126, 800)), host("h2", (60, 880)), *usual_fleet().hosts[4:5])
    assert snap_compare(CostsApp(hosts), terminal_size=(120, 40), press=["m", "9", "6", "enter"])


@pytest.mark.parametrize("theme", ["", SIXTEEN], ids=["dark", "sixteen"])
def test_narrow(snap_compare: Callable[..., bool], theme: str) -> None:
    """Everything folds into 80x24; several VMs, and one sentence more."""
    app = CostsApp(usual_fleet(), theme=theme)
    assert snap_compare(app, terminal_size=(80, 24), press=["m", "9", "6", "n", "4", "enter", "j"])


def test_narrow_with_a_mistake(snap_compare: Callable[..., bool]) -> None:
    """What is wrong stands under the sentence."""
    assert snap_compare(CostsApp(usual_fleet()), terminal_size=(80, 24), press=["m", *"9x"])
