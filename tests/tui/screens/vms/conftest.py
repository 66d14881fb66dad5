"""Hosts of the test driver whose VMs are in all states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.driver.worlds import Guest
from tests.operations.vms.world import open_door, world
from tests.tui.screens.vms.vms_world import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.operations.vms.world import World


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """h1 has VMs in all states, two of them foreign; h2 has none."""
    guests = [
        Guest(name=name, state=state, mark=mark, network="default", mac=f"52:54:00:00:00:{number:02x}")
        for number, (name, state, mark) in enumerate(STATES, 1)
    ]
    with open_door() as door, world(tmp_path, guests=(guests,), door=door) as made:
        yield made
