"""A pool whose folder is not there at the moment when libvirt looks: the one thing that makes a look at a folder fail.

What lies in it never does, with libvirt 9: broken links, pipes, sockets and images that make no sense are passed over.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from core.driver.connection.connection import HostConnection, open_connection
from core.driver.storage.pool_refresh import refresh
from core.driver.storage.volumes import NewVolume, create_volume, list_volumes
from core.errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .parts.host import LabHost
    from .parts.lab import Lab

POOL, FOLDER, AWAY = "vanishing", "/var/lib/libvirt/vanishing", "/var/lib/libvirt/vanished"


class ComesBack:
    """A pool of a host, whose folder comes back after so many times that libvirt has failed to look into it."""

    def __init__(self, pool: Any, host: LabHost, *, after: int) -> None:
        self._pool = pool
        self._host = host
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def refresh(self, flags: int) -> None:
        """Have libvirt look."""
        with self._counted():
            self._pool.refresh(flags)

    def create(self, flags: int) -> None:
        """Have libvirt start it."""
        with self._counted():
            self._pool.create(flags)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except libvirt.libvirtError:
            self._left -= 1
            if self._left == 0:
                self._host.run("mv", AWAY, FOLDER)
            raise


@pytest.fixture
def connection(lab: Lab) -> Iterator[HostConnection]:
    """Connect to the first host, which has a pool with a volume."""
    host = lab.hosts[0]
    host.run("mkdir", FOLDER)
    host.virsh("pool-define-as", POOL, "dir", "--target", FOLDER)
    host.virsh("pool-start", POOL)
    connection = open_connection("h1", host.uri)
    create_volume(connection, POOL, NewVolume(name="here.qcow2", capacity=2**20))
    yield connection
    connection.close()
    host.virsh("pool-destroy", POOL, check=False)
    host.virsh("pool-undefine", POOL)
    host.run("rm", "-rf", FOLDER, AWAY)


@pytest.mark.parametrize("after", [1, 2])
def test_a_pool_that_libvirt_stops_because_a_look_fails_is_started_again(
    lab: Lab, connection: HostConnection, after: int
) -> None:
    """Its folder is away for a moment, as that of a mount that is made anew; all that lies in it is seen again."""
    pool = connection.handle.storagePoolLookupByName(POOL)
    lab.hosts[0].run("mv", FOLDER, AWAY)
    refresh(ComesBack(pool, lab.hosts[0], after=after))
    assert pool.isActive()
    assert pool.listVolumes() == ["here.qcow2"]


def test_a_pool_whose_folder_stays_away_is_told_with_the_reason(lab: Lab, connection: HostConnection) -> None:
    """It is stopped then, as libvirt has left it, and stays so: whoever starts it sees to the folder first."""
    pool = connection.handle.storagePoolLookupByName(POOL)
    lab.hosts[0].run("mv", FOLDER, AWAY)
    with pytest.raises(DriverError, match="cannot open directory"):
        list_volumes(connection, POOL)
    assert not pool.isActive()
    lab.hosts[0].run("mv", AWAY, FOLDER)
    with pytest.raises(DriverError, match="not active") as caught:
        list_volumes(connection, POOL)
    assert "realms pools setup repairs it" in caught.value.hint
    lab.hosts[0].virsh("pool-start", POOL)
    assert [volume.name for volume in list_volumes(connection, POOL)] == ["here.qcow2"]


def test_what_makes_no_sense_in_a_pool_stops_nothing(lab: Lab, connection: HostConnection) -> None:
    """Links that lead nowhere or in a circle, a pipe, and an image whose backing file is no file."""
    broken = (
        "ln -s /nowhere dangling; ln -s circle circle; mkfifo pipe; qemu-img create -q -f qcow2 base 1M; "
        "qemu-img create -q -f qcow2 -b base -F qcow2 torn; qemu-img rebase -u -b 'json:{broken' -F qcow2 torn"
    )
    lab.hosts[0].run("sh", "-c", f"cd {FOLDER} && {broken}")
    assert {"here.qcow2", "base", "torn"} <= {volume.name for volume in list_volumes(connection, POOL)}
