"""Volumes on libvirt's test driver: made, found, copied, deleted, and whatever names they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.driver.connection.jobs import job_connection
from core.driver.storage.volumes import (
    NewVolume,
    NoSuchVolume,
    VolumeExists,
    copy_volume,
    create_volume,
    delete_volume,
    discard_volume,
    find_volume,
    list_volumes,
    require_volume,
    volume_names,
)
from core.driver.vms.disks import read_disks
from core.errors import DriverError
from core.hosts import Host
from tests.driver.worlds import LONG, write_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.driver.connection.connection import HostConnection

MIB = 2**20


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[HostConnection]:
    """Connect to a host with two pools."""
    host = Host(name="h1", realm="r", uri=write_node(tmp_path / "n.xml", [], pools=["one", "two"]), profile="p")
    with job_connection(host, LONG) as connection:
        yield connection


@pytest.mark.parametrize("name", ["plain", "<b>&\"'", "sp ace", "h\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_volume_has_the_name_it_was_given(connection: HostConnection, name: str) -> None:
    """Whatever it is; and it is found, listed and deleted by it."""
    made = create_volume(connection, "one", NewVolume(name=name, capacity=3 * MIB))
    assert (made.name, made.capacity, made.pool) == (name, 3 * MIB, "one")
    assert find_volume(connection, "one", name) == made
    assert list_volumes(connection, "one") == (made,)
    assert volume_names(connection, "one") == {name}
    delete_volume(connection, "one", name)
    assert find_volume(connection, "one", name) is None


def test_a_name_that_is_taken_is_told_from_other_errors(connection: HostConnection) -> None:
    """As what is missing is."""
    create_volume(connection, "one", NewVolume(name="v", capacity=MIB))
    with pytest.raises(VolumeExists, match="h1: create v in pool one"):
        create_volume(connection, "one", NewVolume(name="v", capacity=MIB))
    with pytest.raises(NoSuchVolume, match="no volume w in pool one"):
        require_volume(connection, "one", "w")
    with pytest.raises(NoSuchVolume):
        delete_volume(connection, "one", "w")
    discard_volume(connection, "one", "w")
    with pytest.raises(DriverError, match="look into pool three") as caught:
        list_volumes(connection, "three")
    assert "realms pools" in caught.value.hint


def test_a_copy_goes_into_another_pool(connection: HostConnection) -> None:
    """With the size of what it was copied from."""
    source = create_volume(connection, "one", NewVolume(name="v", capacity=5 * MIB))
    copy = copy_volume(connection, source, "one", "w")
    assert (copy.name, copy.capacity) == ("w", 5 * MIB)


def test_a_disk_that_may_be_an_overlay_of_anything_is_told(connection: HostConnection) -> None:
    """No definition says what it is based on; raw disks are based on nothing."""
    disks = "".join(
        f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/><source file='/srv/{name}'/>{below}"
        f"<target dev='vd{name}'/></disk>"
        for kind, name, below in (("qcow2", "a", ""), ("qcow2", "b", "<backingStore/>"), ("raw", "c", ""))
    )
    connection.define(
        "<domain type='test'><name>clone</name><memory>1024</memory><os><type>hvm</type></os>"
        f"<devices>{disks}</devices></domain>"
    )
    (found,) = read_disks(connection)
    assert (found.files, found.open_chains) == ({"/srv/a", "/srv/b", "/srv/c"}, {"/srv/a"})
