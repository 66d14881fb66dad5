"""The lab itself: its hosts are real, its faults do what they say, and nothing of it remains."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import libvirt
import pytest

from .__main__ import directions
from .parts import slots
from .parts.guests import Boot
from .parts.host import BASE_PORT, answers, greeting
from .parts.host_files import POOLS
from .parts.lab import Lab
from .parts.namespaces import CommandFailed
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _quiet_libvirt() -> None:
    """Keep libvirt from writing errors to standard error, as it does unless it is told not to."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)


def translated(address: str) -> int:
    """Port at which a guest on the default network is reached."""
    return BASE_PORT + int(address.rsplit(".", 1)[1])


def seconds_of(action: object) -> float:
    """Seconds that a call takes."""
    assert callable(action)
    before = time.monotonic()
    action()
    return time.monotonic() - before


# Hosts


@pytest.mark.parametrize("way", ["uri", "local_uri"])
def test_every_host_answers_by_ssh_and_by_its_own_socket(lab: Lab, way: str) -> None:
    """As the right machine, with both networks and the realm's four pools active."""
    for host in lab.hosts:
        connection = libvirt.open(getattr(host, way))
        try:
            assert connection.getHostname() == host.name
            assert f"<uuid>{host.machine_uuid}</uuid>" in connection.getCapabilities()
            assert sorted(connection.listNetworks()) == ["default", "lab"]
            assert sorted(connection.listStoragePools()) == sorted(POOLS)
        finally:
            connection.close()


def test_root_logs_in_with_the_labs_key(lab: Lab) -> None:
    """Commands run on the host named, from the machine and from host to host."""
    first, second, _ = lab.hosts
    assert first.ssh("hostname").strip() == "h1"
    assert first.run("ssh", "root@h2", "hostname").strip() == "h2"
    assert "OPENSSH PRIVATE KEY" in lab.key.read_text()
    assert second.run("ssh-keygen", "-lf", "/root/.ssh/authorized_keys").startswith("2048 ")


def test_hosts_share_their_storage(lab: Lab) -> None:
    """A volume made on one host is seen by another."""
    first, second, _ = lab.hosts
    first.virsh("vol-create-as", "ticrypt-vm-drives", "proof.qcow2", "16M", "--format", "qcow2")
    try:
        second.virsh("pool-refresh", "ticrypt-vm-drives")
        assert "proof.qcow2" in second.virsh("vol-list", "ticrypt-vm-drives")
    finally:
        first.virsh("vol-delete", "proof.qcow2", "--pool", "ticrypt-vm-drives")


def test_the_machines_own_libvirt_is_not_touched(lab: Lab) -> None:
    """What is defined in a lab is written nowhere else, and its daemons show no process or socket of the machine."""
    lab.hosts[0].define_guest("only-in-the-lab", boot=Boot.NOTHING)
    assert not Path("/etc/libvirt/qemu/only-in-the-lab.xml").exists()
    assert Path(lab.hosts[0].folder / "etc/qemu/only-in-the-lab.xml").exists()
    assert lab.hosts[0].run("cat", "/proc/1/comm").strip() == "sshd"


# Guests


@pytest.mark.parametrize("boot", [Boot.KERNEL, Boot.BRICK])
def test_a_guest_answers_by_translation(lab: Lab, boot: Boot) -> None:
    """On the default network, whose addresses are every host's own; started from the kernel or by the BIOS."""
    host = lab.hosts[0]
    host.define_guest("plain", memory_mib=128, boot=boot)
    host.start_guest("plain")
    address = host.guest_address("plain")
    assert address.startswith("192.168.122.")
    eventually(lambda: greeting(host.address, translated(address)) == "SSH-2.0-lab", "the guest's greeting")


def test_a_guest_keeps_its_address_where_it_moves_and_turns_itself_off_when_asked(lab: Lab) -> None:
    """On the bridged network it is reached directly; it moves live, and obeys its power button."""
    first, second, _ = lab.hosts
    first.define_guest("mover", network="lab")
    first.start_guest("mover")
    address = first.guest_address("mover")
    assert address.startswith(f"10.77.{lab.slot.number}.")
    eventually(lambda: greeting(address, 22) == "SSH-2.0-lab", "the guest's greeting")
    target = f"qemu+ssh://root@{second.address}/system"
    # Nothing tells libvirt that the storage is shared: unsafe is what it calls that.
    first.virsh("migrate", "mover", target, "--live", "--p2p", "--unsafe", "--migrateuri", f"tcp://{second.address}")
    assert second.guest_state("mover") == "running"
    assert second.guest_address("mover") == address
    eventually(lambda: greeting(address, 22) == "SSH-2.0-lab", "the greeting after the move")
    second.virsh("shutdown", "mover", "--mode", "acpi")
    eventually(lambda: "mover" not in second.virsh("list", "--all", "--name"), "the guest's end")


def test_a_guest_with_a_device_is_defined(lab: Lab) -> None:
    """There are no devices to pass through here: such a guest can be described, and isn't started."""
    host = lab.hosts[0]
    host.define_guest("with-gpu", boot=Boot.NOTHING, hostdevs=("0000:41:00.0",))
    assert "bus='0x41'" in host.virsh("dumpxml", "with-gpu")
    with pytest.raises(CommandFailed, match="PCI"):
        host.start_guest("with-gpu")


# Faults


def test_a_hung_libvirtd_takes_connections_and_never_answers(lab: Lab) -> None:
    """Until it is woken; ssh goes on all the while."""
    host = lab.hosts[0]
    host.hang()
    assert host.ssh("hostname").strip() == "h1"
    with pytest.raises(subprocess.TimeoutExpired):
        host.virsh("list", timeout=1)
    host.wake()
    host.virsh("list", timeout=10)


def test_guests_outlive_a_crashed_libvirtd(lab: Lab) -> None:
    """And are known again when it comes back."""
    host = lab.hosts[0]
    host.define_guest("survivor", memory_mib=32, boot=Boot.NOTHING)
    host.start_guest("survivor", paused=True)
    host.crash_libvirtd()
    with pytest.raises(CommandFailed):
        host.virsh("list")
    host.start_libvirtd()
    assert host.guest_state("survivor") == "paused"


def test_a_cut_host_is_reached_again_when_it_joins(lab: Lab) -> None:
    """The others don't notice."""
    first, second, _ = lab.hosts
    first.cut()
    assert not answers(first.address, 22, seconds=0.3)
    assert answers(second.address, 22)
    first.join()
    eventually(lambda: answers(first.address, 22), "the host after its cable is back")


def test_a_slow_host_takes_its_time(lab: Lab) -> None:
    """Connecting takes one round trip more than it did."""
    host = lab.hosts[0]
    host.slow(200)
    assert seconds_of(lambda: eventually(lambda: answers(host.address, 22), "a slow answer")) >= 0.2
    assert 0.2 <= seconds_of(lambda: answers(host.address, 22)) < 0.6
    assert host.ssh("seq", "1", "50000").splitlines()[-1] == "50000"
    host.slow(0)
    eventually(lambda: answers(host.address, 22), "the host at full speed")
    assert seconds_of(lambda: answers(host.address, 22)) < 0.1


def test_full_storage_refuses_more(lab: Lab) -> None:
    """On every host, until it is emptied."""
    first, second, _ = lab.hosts
    first.fill_storage()
    with pytest.raises(CommandFailed, match="No space left"):
        second.virsh("vol-create-as", "ticrypt-vm", "late.raw", "8M")
    first.empty_storage()
    second.virsh("vol-create-as", "ticrypt-vm", "late.raw", "8M")
    second.virsh("vol-delete", "late.raw", "--pool", "ticrypt-vm")


def test_a_host_without_the_storage_sees_none_of_it(lab: Lab) -> None:
    """As when the cluster's file system was not mounted: same folders, other content."""
    first, second, _ = lab.hosts
    first.lose_storage()
    first.virsh("pool-refresh", "ticrypt-bricks")
    assert "lab-guest.qcow2" not in first.virsh("vol-list", "ticrypt-bricks")
    assert "lab-guest.qcow2" in second.virsh("vol-list", "ticrypt-bricks")
    first.regain_storage()
    first.virsh("pool-refresh", "ticrypt-bricks")
    assert "lab-guest.qcow2" in first.virsh("vol-list", "ticrypt-bricks")


def test_a_host_without_power_loses_its_guests_and_comes_back(lab: Lab) -> None:
    """Definitions, networks and pools are there again."""
    host = lab.hosts[2]
    host.define_guest("lost", memory_mib=32, boot=Boot.NOTHING)
    host.start_guest("lost", paused=True)
    host.power_cut()
    assert not answers(host.address, 22, seconds=0.3)
    host.power_on()
    host.wait_until_ready()
    assert host.guest_state("lost") == "shut off"
    assert sorted(host.virsh("pool-list", "--name").split()) == sorted(POOLS)


# Beginning and end


@pytest.fixture
def labs() -> Iterator[list[Lab]]:
    """Labs of a test's own, ended with it."""
    started: list[Lab] = []
    yield started
    for lab in started:
        lab.stop()


def remains(number: int) -> list[str]:
    """Name what can be seen on the machine of the lab in a slot."""
    slot = slots.Slot(number, -1)
    seen = [f"process {pid}" for pid in slots.holders(slot.mark)]
    seen += [f"link {link.name}" for link in Path("/sys/class/net").iterdir() if link.name == slot.link]
    seen += [f"mount {point}" for point in slots.mounts_below(slot.folder)]
    seen += [
        f"loop {loop}"
        for loop in Path("/sys/block").glob("loop*/loop/backing_file")
        if slot.folder.name in loop.read_text().split("/")
    ]
    seen += [f"folder {slot.folder}"] if slot.folder.exists() else []
    return seen


def test_two_labs_live_side_by_side_and_leave_nothing(lab: Lab, labs: list[Lab]) -> None:
    """Neither processes nor links, mounts, namespaces' names or files."""
    named = set(Path("/run/netns").iterdir()) if Path("/run/netns").exists() else set()
    second = Lab.start(hosts=1)
    labs.append(second)
    assert second.slot.number != lab.slot.number
    assert remains(second.slot.number)
    assert libvirt.open(second.hosts[0].uri).close() == 0
    assert libvirt.open(lab.hosts[0].uri).close() == 0
    host = second.hosts[0]
    host.define_guest("left", memory_mib=32, boot=Boot.NOTHING)
    host.start_guest("left", paused=True)
    host.slow(10)
    host.hang()
    pids = second.processes()
    assert len(pids) > 5
    labs.pop().stop()
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    eventually(lambda: not remains(second.slot.number), f"nothing but {remains(second.slot.number)}")
    assert (set(Path("/run/netns").iterdir()) if Path("/run/netns").exists() else set()) == named
    assert answers(lab.hosts[0].address, 22)


STARTER = """
import sys
from tests.lab.parts.lab import Lab
lab = Lab.start(hosts=1)
print(lab.slot.number, *lab.processes(), flush=True)
sys.stdin.read()
"""


def test_a_killed_owner_takes_its_lab_along_and_the_next_start_sweeps_up(lab: Lab, labs: list[Lab]) -> None:
    """Its processes end at once; the files that it left are gone after another lab has started."""
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    with owner.stdout, owner.stdin:
        number, *pids = (int(word) for word in owner.stdout.readline().split())
        assert number != lab.slot.number
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
    eventually(lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "the end of the lab's processes")
    assert slots.Slot(number, -1).folder.exists()
    labs.append(Lab.start(hosts=1))
    labs.pop().stop()
    eventually(lambda: not remains(number), f"nothing but {remains(number)}")


def test_a_lab_that_outlived_its_owner_is_torn_down(lab: Lab, labs: list[Lab]) -> None:
    """Whoever holds its namespaces is found by the lab's mark, and what it left in the machine goes."""
    stray = slots.take()
    number = stray.number
    stray.folder.mkdir()
    (stray.folder / "file").touch()
    subprocess.run(["ip", "link", "add", stray.link, "type", "bridge"], check=True)
    with subprocess.Popen(["sh", "-c", "sleep 600; exit", stray.mark]) as process:
        stray.leave()
        eventually(lambda: len(remains(number)) == 3, "a process, a link and a folder")  # two while sh starts sleep
        labs.append(Lab.start(hosts=1))
        assert process.wait() == -signal.SIGKILL
    labs.pop().stop()
    assert remains(number) == []


def test_what_make_lab_prints_is_there(lab: Lab) -> None:
    """The guests' image, the shared storage seen from here, and the variables that the program needs."""
    told = "\n".join(directions(lab))
    assert "REALMS_VIRTUALIZATION=qemu" in told
    (configuration,) = re.findall(r"REALMS_CONFIG=(\S+)", told)
    (image,) = re.findall(r"image is ([^\s,]+)", told)
    (outside,) = re.findall(r"(\S+) on this machine", told)
    assert Path(configuration).is_file()
    assert Path(image).is_file()
    assert (Path(outside) / "bricks/lab-guest.qcow2").is_file()
