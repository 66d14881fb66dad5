"""The contract suite on libvirt's test driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.hosts import Host
from core.realms import Realm
from tests.driver.contract import RESIDENT, HostContract, Place, new_watch
from tests.driver.worlds import Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TestTheTestDriver(HostContract):
    """Each connection is a world of its own, inside this process."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Place]:
        """Return a new host."""
        uri = write_node(tmp_path / "node.xml", [Guest(name=RESIDENT, state="shutoff")])
        host = Host(name="h1", realm="r", uri=uri, profile="p")
        watch = new_watch()
        yield Place(host, "test", watch, Realm(id="r", name="R"), knows_itself=False)
        watch.close()
