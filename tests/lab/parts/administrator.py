"""What an administrator does with the disks of real guests, and what a test sees of it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from typing import TYPE_CHECKING

import libvirt
import pytest

from core.driver.connection.connection import open_connection
from core.driver.vms.snapshots import list_snapshots
from core.operations.session import open_session
from core.operations.vms.drives import attach_drive, detach_drive
from core.operations.vms.lookup import vm_at_hand
from core.operations.vms.restore import restore_snapshot
from core.operations.vms.snapshots import take_snapshot
from tests.terminal import REALMS

from .guests import Boot
from .realm import write_configuration, write_registry
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from core.operations.session import Session
    from core.operations.tasks.task import Task

    from .host import LabHost
    from .lab import Lab

PATIENCE = 60.0
POOL = "ticrypt-vm-snapshots"


@pytest.fixture
def places(lab: Lab, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Describe the lab as a realm whose drives are cached by nobody; its pools are empty again afterwards."""
    configuration, registry = write_configuration(tmp_path), tmp_path / "registry.json"
    realm = tmp_path / "realms/lab.conf"
    realm.write_text(realm.read_text().replace("lazy-allocation = on", "lazy-allocation = on, cache = none"))
    write_registry(lab, configuration, registry)
    yield {"REALMS_CONFIG": str(configuration), "REALMS_REGISTRY": str(registry)}
    lab.mend()
    lab.hosts[0].run("sh", "-c", f"rm -rf {lab.shared}/drives/* {lab.shared}/snapshots/* {lab.shared}/vm/*")
    for host in lab.hosts:
        for pool in ("ticrypt-vm", "ticrypt-vm-drives", POOL):
            host.virsh("pool-refresh", pool)


@pytest.fixture
def session(places: dict[str, str], tmp_path: Path) -> Iterator[Session]:
    """Open the lab as an administrator would."""
    session = open_session(
        config=tmp_path / "ticrypt-vm.conf", registry=tmp_path / "registry.json", fleet=None, read_only=False
    )
    yield session
    session.close()


class Admin:
    """What an administrator does, by name; each call is a task of its own, whose last one stays to be looked at."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.task: Task[Any]

    def begin(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Task[Any]:
        """Begin an operation."""
        self.task = self.session.tasks.run("test", "test", lambda control: operation(control, *arguments, **options))
        return self.task

    def do(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do an operation, and give what came of it."""
        return self.begin(operation, *arguments, **options).outcome.result(PATIENCE * 2)

    def vm(self, name: str) -> Any:
        """Find a VM."""
        eventually(lambda: any(vm.name in name for vm in self.session.settled_fleet(10).vms()), name)
        return vm_at_hand(self.session, name, timeout=10)

    def attach(self, vm: str, drive: str, **options: Any) -> Any:
        """Attach a drive."""
        at_hand = self.vm(vm)
        return self.do(lambda control: attach_drive(self.session, control, at_hand, drive, **options))

    def detach(self, vm: str, drive: str, **options: Any) -> Any:
        """Detach a drive."""
        at_hand = self.vm(vm)
        return self.do(lambda control: detach_drive(self.session, control, at_hand, drive, **options))

    def snapshot(self, vm: str, name: str, **options: Any) -> Any:
        """Take a snapshot."""
        return self.do(take_snapshot, self.vm(vm), name, now=self.session.clock.now(), **options)

    def restore(self, vm: str, name: str, **options: Any) -> Any:
        """Restore a snapshot."""
        at_hand = self.vm(vm)
        return self.do(lambda control: restore_snapshot(self.session, control, at_hand, name, **options))

    def step(self, what: str) -> Any:
        """Return a step of the last task by how its words begin; None before it has begun."""
        return next((step for step in self.task.view.steps if step.what.startswith(what)), None)


@pytest.fixture
def admin(session: Session) -> Admin:
    """Return an administrator."""
    return Admin(session)


def make_drive(host: LabHost, name: str, form: str = "qcow2", size: str = "32M") -> None:
    """Make an empty drive."""
    host.virsh("vol-create-as", "ticrypt-vm-drives", name, size, "--format", form)


def disks_of(host: LabHost, name: str, *options: str) -> dict[str, str]:
    """Return a guest's disks, target to path."""
    rows = (line.split() for line in host.virsh("domblklist", name, *options).splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


def content_of(host: LabHost, path: str) -> str:
    """Return the checksum of what a guest would read from a disk that nobody writes to."""
    command = f"qemu-img convert -U -O raw '{path}' /run/plain && sha256sum < /run/plain; rm -f /run/plain"
    return host.run("sh", "-c", command).split()[0]


def snapshots_on(host: LabHost) -> Any:
    """Return the snapshots as a host sees them."""
    connection = open_connection(host.name, host.local_uri)
    try:
        return list_snapshots(connection, POOL)
    finally:
        connection.close()


def left_in(lab: Lab, folder: str) -> list[str]:
    """List the files of one of the shared folders."""
    return sorted(lab.hosts[0].run("ls", str(lab.shared / folder)).split())


class Serial:
    """A guest's shell on its serial line."""

    def __init__(self, host: LabHost, name: str) -> None:
        self._connection = libvirt.open(host.local_uri)
        self._stream = self._connection.newStream(0)
        domain = self._connection.lookupByName(name)
        domain.openConsole(None, self._stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        self._number = 0
        self._read_until(r"# ")

    def _read_until(self, pattern: str) -> str:
        seen = ""
        while not re.search(pattern, seen):
            seen += self._stream.recv(4096).decode(errors="replace")
        return seen

    def run(self, command: str) -> str:
        """Run a command in the guest and give what it printed."""
        self._number += 1
        mark = f"end-{self._number}-"
        self._stream.send(f"{command}; echo {mark[:3]}''{mark[3:]}$?-\n".encode())
        seen = self._read_until(rf"{mark}\d+-")
        assert f"{mark}0-" in seen, seen
        return seen.partition(mark)[0]

    def begin(self, command: str) -> None:
        """Begin a command in the guest without waiting for its end."""
        self._stream.send(f"{command}\n".encode())

    def wait_for(self, words: str) -> None:
        """Wait until the guest has said something, and its shell is there."""
        self._read_until(re.escape(words) + r"[\s\S]*# ")

    def leave(self) -> None:
        """Let go of the console."""
        self._stream.finish()
        self._stream = self._connection.newStream(0)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(libvirt.libvirtError):  # someone else has taken the console over
            self._stream.abort()
        self._connection.close()


@pytest.fixture
def running(lab: Lab) -> Iterator[tuple[LabHost, Serial]]:
    """Return a guest that is up, with its shell."""
    host = lab.hosts[0]
    host.define_guest("web", network=None)
    host.start_guest("web")
    serial = Serial(host, "web")
    yield host, serial
    serial.close()


def make_slow_guest(host: LabHost, admin: Admin, *, started: bool) -> None:
    """Make a guest with a disk that takes seconds to copy."""
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    make_drive(host, "data", size="256M")
    path = admin.attach("web", "data").path
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x11 0 256M", path)
    if started:
        host.start_guest("web", paused=True)


def program(places: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start the program as a process of its own."""
    return subprocess.Popen(
        [REALMS, *arguments], env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


# What a test looks at itself, with -U, is let through.
_HOLDER = r"""#!/bin/sh
case "$*" in *" -U "*) ;; *convert*) : > /run/held; while [ -e /run/hold ]; do sleep 0.05; done ;; esac
exec /run/qemu-img "$@"
"""


@contextlib.contextmanager
def copying_held(host: LabHost) -> Iterator[Callable[[], None]]:
    """Have the host hold every copy that its libvirt makes in the block; gives what waits until one is held."""
    tool = host.run("sh", "-c", "command -v qemu-img").strip()
    setup = f"cp {tool} /run/qemu-img; cat > /run/holder; chmod 755 /run/holder; : > /run/hold"
    host.run("sh", "-e", "-c", f"{setup}; rm -f /run/held; mount --bind /run/holder {tool}", stdin=_HOLDER)
    try:
        yield lambda: eventually(lambda: host.run("sh", "-c", "ls /run/held", check=False), "a copy", PATIENCE) and None
    finally:
        host.run("sh", "-c", f"umount -l {tool}; rm -f /run/hold")
