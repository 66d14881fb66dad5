"""Pools that libvirt mounts by itself, on real hosts: a network file system that one of them serves, and devices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from core.driver.storage.pool_setup import PoolType
from core.fleet.fleet import PoolState
from core.operations.storage.images import create_drive, upload_brick
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.pools import PoolRequest, PoolsNotSetUp, look_at_pools

from .parts.file_server import mounts_of, serve, stop_serving, why_no_server
from .parts.storage import MIB, OTHER, Work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .parts.lab import Lab

BASE = "/var/lib/libvirt/mounted"
"""Where the pools are mounted, on every host: a folder of its own."""

POOLS = {role: f"{BASE}/{role.value}" for role in PoolRole}


@pytest.fixture
def source(lab: Lab, work: Work) -> Iterator[str]:
    """Serve a network file system from the first host, with a folder for each pool."""
    reason = why_no_server()
    if reason is not None:
        pytest.skip(reason)
    try:
        yield serve(lab.hosts[0], *(role.value for role in PoolRole))
    finally:
        unmount(lab, work)
        stop_serving(lab.hosts[0])


def unmount(lab: Lab, work: Work) -> None:
    """Stop the pools, which unmounts them, and remove their folders."""
    for number, host in enumerate(lab.hosts):
        for name in work.pools(number):
            host.virsh("pool-destroy", name, check=False)
        for kind in ("fuse.glusterfs", "ext4"):
            for folder in mounts_of(host, kind):
                if folder.startswith(BASE):
                    host.run("umount", "-l", folder)
        host.run("rm", "-rf", BASE)


def sources(source: str) -> dict[PoolRole, str]:
    """Return the source of each pool: its folder in the volume."""
    return {role: f"{source}/{role.value}" for role in PoolRole}


def network_pools(source: str) -> dict[str, object]:
    """Ask for pools of a network file system."""
    return {"paths": POOLS, "type": PoolType.NETFS, "sources": sources(source), "format": "glusterfs"}


@pytest.mark.timeout(400)
def test_pools_of_a_network_file_system_are_mounted_on_all_hosts_and_shared(
    work: Work, source: str, tmp_path: Path
) -> None:
    """By libvirt, from a real server; without a proof they are known to be shared by their source."""
    report = work.set_up("", **network_pools(source))
    assert report.ok
    assert [(sharing.shared, sharing.by) for sharing in report.sharing] == [(True, "proof")] * 4
    for host in work.lab.hosts:
        assert mounts_of(host, "fuse.glusterfs") == {POOLS[role]: sources(source)[role] for role in PoolRole}
    assert {pool.facts.source for host in report.hosts for pool in host.pools} == set(sources(source).values())
    again = work.set_up("", **network_pools(source))
    assert {pool.changes for host in again.hosts for pool in host.pools} == {()}
    seen = work.do(lambda control: look_at_pools(control, OTHER, work.hosts))
    assert [(sharing.shared, sharing.by) for sharing in seen.sharing] == [(True, "source")] * 4
    image = tmp_path / "image.raw"
    image.write_bytes(b"brick" * MIB)
    work.do(lambda control: upload_brick(control, OTHER, work.hosts[1:], image, name="brick"))
    work.do(lambda control: create_drive(control, OTHER, work.hosts[2:], "drive", size=MIB))
    assert (
        work.lab.hosts[2].run("md5sum", f"{POOLS[PoolRole.BRICKS]}/brick").split()[0]
        == (work.lab.hosts[0].run("md5sum", "/var/lib/libvirt/served/bricks/brick").split()[0])
    )


def test_a_step_that_fails_unmounts_what_was_mounted(work: Work, source: str) -> None:
    """The last pool's folder is a file: the others are stopped, undefined, and their folders removed."""
    host = work.lab.hosts[1]
    host.run("sh", "-c", f"mkdir -p {BASE}; echo mine > {POOLS[PoolRole.SNAPSHOTS]}")
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("", hosts=work.hosts[1:2], **network_pools(source))
    assert "it is not a folder" in str(caught.value.report.hosts[0].error)
    assert mounts_of(host, "fuse.glusterfs") == {}
    assert work.pools(1) == set()
    assert host.run("find", BASE).split() == [BASE, POOLS[PoolRole.SNAPSHOTS]]


def test_a_server_that_does_not_answer_fails_the_set_up_in_time(work: Work, source: str) -> None:
    """Its message is libvirt's; nothing is left behind. When the server is there, the same request does it all."""
    server, host = work.lab.hosts[:2]
    server.cut()
    began = time.monotonic()
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("", hosts=work.hosts[1:2], **network_pools(source))
    assert time.monotonic() - began < 200
    assert "start pool other vm" in str(caught.value.report.hosts[0].error)
    assert mounts_of(host, "fuse.glusterfs") == {}
    assert work.pools(1) == set()
    assert host.run("ls", BASE, check=False) == ""
    server.join()
    report = work.set_up("", hosts=work.hosts[1:2], **network_pools(source))
    assert {pool.facts.state for pool in report.hosts[0].pools} == {PoolState.ACTIVE}


def test_the_virsh_commands_shown_mount_the_same(work: Work, source: str) -> None:
    """Typed into a shell of the host."""
    host = work.lab.hosts[2]
    wanted = PoolRequest(**network_pools(source))  # type: ignore[arg-type]  # as written above
    for plan in wanted.plans(OTHER).values():
        for command in plan.virsh_commands("qemu:///system"):
            host.run("sh", "-e", "-c", command)
    assert len(mounts_of(host, "fuse.glusterfs")) == 4
    report = work.set_up("", hosts=work.hosts[2:], **network_pools(source))
    assert [pool.changes for pool in report.hosts[0].pools] == [()] * 4


def test_dead_storage_is_told_in_time_and_holds_up_nobody(work: Work, source: str) -> None:
    """Looking into its pools never ends: their sizes are unknown, and a proof leaves them alone."""
    host = work.lab.hosts[1]
    work.set_up("", hosts=work.hosts[:2], proof=False, **network_pools(source))
    clients = "kill -{} $(pidof glusterfs)"
    host.run("sh", "-c", clients.format("STOP"))
    try:
        began = time.monotonic()
        report = work.do(
            lambda control: look_at_pools(control, OTHER, work.hosts[:2], prove_sharing=True, deadline=5.0)
        )
        assert time.monotonic() - began < 60
        well, dead = report.hosts
        assert [pool.unread for pool in well.pools] == [""] * 4
        assert all(pool.silent and pool.facts.available is None for pool in dead.pools)
        assert "pool other vm does not answer within 5 s" in dead.pools[0].unread
        assert not report.ok
        assert any("is its storage down?" in warning for warning in work.last.warnings)
    finally:
        host.run("sh", "-c", clients.format("CONT"))
    report = work.do(lambda control: look_at_pools(control, OTHER, work.hosts[:2]))
    assert report.ok
    assert all(pool.facts.available for host in report.hosts for pool in host.pools)


@pytest.fixture
def devices(lab: Lab, work: Work) -> Iterator[dict[PoolRole, str]]:
    """Return a host block devices, each with a file system: loops, which the machine's hosts see alike."""
    host = lab.hosts[0]
    found: dict[PoolRole, str] = {}
    try:
        for role in PoolRole:
            image = f"/var/lib/libvirt/{role.value}.img"
            host.run("sh", "-e", "-c", f"truncate -s 32M {image}; mkfs.ext4 -q {image}")
            found[role] = host.run("losetup", "--find", "--show", image).strip()
        yield found
    finally:
        unmount(lab, work)
        for device in found.values():
            host.run("losetup", "--detach", device, check=False)
        host.run("sh", "-c", "rm -f /var/lib/libvirt/*.img")


def test_devices_with_a_file_system_are_mounted_and_keep_what_is_on_them(
    work: Work, devices: dict[PoolRole, str]
) -> None:
    """Building one makes no file system: what is there stays, also where the pool is set up again."""
    host = work.lab.hosts[0]
    wanted = {"paths": POOLS, "type": PoolType.FS, "sources": devices, "format": "ext4"}
    report = work.set_up("", hosts=work.hosts[:1], **wanted)
    assert report.ok
    assert {folder: mounts_of(host, "ext4").get(folder) for folder in POOLS.values()} == {
        POOLS[role]: devices[role] for role in PoolRole
    }
    work.do(lambda control: create_drive(control, OTHER, work.hosts[:1], "drive", size=MIB))
    for name in work.pools(0):
        host.virsh("pool-destroy", name)
        host.virsh("pool-undefine", name)
    assert not set(POOLS.values()) & set(mounts_of(host, "ext4"))
    work.set_up("", hosts=work.hosts[:1], **wanted)
    assert "drive" in host.virsh("vol-list", OTHER.drives_pool)


def test_a_device_without_a_file_system_is_told_and_undone(work: Work, devices: dict[PoolRole, str]) -> None:
    """The kernel can't mount it; the pools before it go again."""
    host = work.lab.hosts[0]
    host.run("dd", "if=/dev/zero", f"of={devices[PoolRole.SNAPSHOTS]}", "bs=1M", "count=32", "status=none")
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("", hosts=work.hosts[:1], paths=POOLS, type=PoolType.FS, sources=devices, format="ext4")
    assert "start pool other-snapshots" in str(caught.value.report.hosts[0].error)
    assert not set(POOLS.values()) & set(mounts_of(host, "ext4"))
    assert work.pools(0) == set()
    assert host.run("ls", BASE, check=False) == ""
