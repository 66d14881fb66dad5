"""A realm with VMs that are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.driver.worlds import Guest
from tests.operations.vms.stopped_vms import MINE
from tests.operations.vms.world import GPUS, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.operations.vms.world import World


@pytest.fixture
def stopped(tmp_path: Path, door: int) -> Iterator[World]:
    """h1 has a stopped VM of the realm with a GPU, one that is foreign, and one that runs and has that GPU."""
    guests = (
        MINE,
        Guest(name="theirs", state="shutoff"),
        Guest(name="holder", devices=(GPUS[0],), mac="52:54:00:00:00:02"),
    )
    with world(tmp_path, guests=(guests,), door=door) as made:
        yield made
