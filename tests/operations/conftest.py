"""A realm of two hosts of the test driver, whose VMs answer on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.operations.vms.world import World, open_door, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def door() -> Iterator[int]:
    """Accept connections as guests do; gives the base port."""
    with open_door() as base:
        yield base


@pytest.fixture
def realm(tmp_path: Path, door: int) -> Iterator[World]:
    """Two hosts whose VMs register at once."""
    with world(tmp_path, door=door) as made:
        yield made


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[World]:
    """Two hosts whose VMs never answer, and have two seconds to do so."""
    with open_door(listening=False) as closed, world(tmp_path, door=closed, timeout="2 s") as made:
        yield made
