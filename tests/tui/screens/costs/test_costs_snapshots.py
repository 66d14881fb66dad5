"""Whole screens of the cost explorer, as pictures to compare: empty, usual, degraded, narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.costs.costs_world import fleet, host, usual_fleet
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable


def test_without_hosts(picture: Callable[..., bool]) -> None:
    """The fields, and a sentence."""
    assert picture(CostsApp(fleet()), (120, 40))


def test_usual(picture: Callable[..., bool]) -> None:
    """Ranking, refused, terms and curves of the best host."""
    assert picture(CostsApp(usual_fleet()), (120, 40), "m", "6", "4", "enter")


def test_large_light_with_devices(picture: Callable[..., bool]) -> None:
    """All curves at once, a step drawn as a step."""
    app = CostsApp(usual_fleet(), theme=LIGHT)
    assert picture(app, (200, 60), "d", "1", "enter")


def test_degraded(picture: Callable[..., bool]) -> None:
    """No host fits: the first refused one is shown, with its use in the infinite band."""
    hosts = fleet(host("h1", (126, 800)), host("h2", (60, 880)), *usual_fleet().hosts[4:5])
    assert picture(CostsApp(hosts), (120, 40), "m", "9", "6", "enter")


@pytest.mark.parametrize("theme", ["", SIXTEEN], ids=["dark", "sixteen"])
def test_narrow(picture: Callable[..., bool], theme: str) -> None:
    """Everything folds into 80x24; several VMs, and one sentence more."""
    app = CostsApp(usual_fleet(), theme=theme)
    assert picture(app, (80, 24), "m", "9", "6", "n", "4", "enter", "j")


def test_narrow_with_a_mistake(picture: Callable[..., bool]) -> None:
    """What is wrong stands under the sentence."""
    assert picture(CostsApp(usual_fleet()), (80, 24), "m", *"9x")
