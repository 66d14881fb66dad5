"""Pictures of a what-if: the ranking beside what it was, the editor, the lists and the export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.screens.costs.costs_app import CostsApp
from tests.tui.screens.costs.costs_world import usual_fleet
from tests.tui.sizes import MIDDLE, SMALL
from tui.terminal.theme import LIGHT, SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Callable


REFUSES_H2 = ("m", "9", "6", "enter", "tab", "home")


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("editor", (*REFUSES_H2, "e", "plus")),
        ("typing", (*REFUSES_H2, "e", "enter", *"90 GB")),
        ("compared", (*REFUSES_H2, "e", "plus", "plus", "escape", "tab")),
        ("host", (*REFUSES_H2, "h")),
        ("export", (*REFUSES_H2, "e", "plus", "plus", "x")),
    ],
)
def test_a_what_if(picture: Callable[..., bool], name: str, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    """Each part of it, narrow and usual."""
    del name
    app = CostsApp(usual_fleet())
    assert picture(app, size, *keys)


@pytest.mark.parametrize("theme", [LIGHT, SIXTEEN], ids=["light", "16-colours"])
def test_a_what_if_in_another_theme(picture: Callable[..., bool], theme: str) -> None:
    """What differs is told without colours too."""
    app = CostsApp(usual_fleet(), theme=theme)
    assert picture(app, MIDDLE, *REFUSES_H2, "e", "plus")
