"""Where the values of a configuration stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.value_places import value_places
from core.errors import UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path


def test_each_value_has_the_file_and_line_that_says_it_last(tmp_path: Path) -> None:
    """Also in included files; a default stands nowhere."""
    (tmp_path / "gpu.conf").write_text("vms { curve: linear, slope: 1\n base: 0 }\n")
    (tmp_path / "main.conf").write_text(
        'ticrypt.vm.cost-functions {\n  gpu = { include "gpu.conf" }\n}\nticrypt.vm.cost-functions.gpu.vms.slope = 2\n'
    )
    places = value_places(tmp_path / "main.conf", {})
    at = {path[2:]: str(place) for path, place in places.items() if path[:2] == ("cost-functions", "gpu")}
    assert at["vms", "base"] == "gpu.conf:2"
    assert at["vms", "slope"] == "main.conf:4"
    assert ("vms", "max") not in at
    assert ("offset",) not in at


def test_a_file_that_is_gone_is_said_so(tmp_path: Path) -> None:
    """As for every other reader."""
    with pytest.raises(UnreadableFile, match=r"gone\.conf"):
        value_places(tmp_path / "gone.conf", {})
