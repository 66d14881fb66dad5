"""One host of the lab: what it is, its guests, and what can go wrong with it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .guests import Boot, domain_xml
from .host_files import POOLS, machine_uuid
from .namespaces import CommandFailed, Inside, child_of, environment
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .namespaces import Anchor

_HERE = Path(__file__).parent

BASE_PORT = 7000
"""Base port of each host's static address translation: port 7000 + last octet is port 22 of a guest on `default`."""


class LabHost:
    """A libvirt host in namespaces of its own. The lab makes it; `power_on` starts it."""

    def __init__(
        self, number: int, *, lab: int, address: str, folder: Path, key: Path, shared: Path, anchor: Anchor
    ) -> None:
        self.number = number
        self.name = f"h{number}"
        self.address = address
        self.folder = folder
        self.key = key
        self.shared = shared
        self.machine_uuid = machine_uuid(lab, number)
        # The same after a restart, as a machine's is: its neighbours remember it.
        self._hardware_address = f"02:4c:41:42:{lab:02x}:{number:02x}"
        self._anchor = anchor
        self._process: subprocess.Popen[bytes] | None = None
        self._inside: Inside | None = None
        self._relay: subprocess.Popen[bytes] | None = None

    # How it is reached

    @property
    def uri(self) -> str:
        """Libvirt URI by ssh, with the realm's key."""
        return f"qemu+ssh://root@{self.address}/system?keyfile={quote(str(self.key))}&no_verify=1&no_tty=1"

    @property
    def local_uri(self) -> str:
        """Libvirt URI by the daemon's own socket, as a program on the host itself would connect."""
        return f"qemu+unix:///system?socket={quote(str(self.folder / 'run/libvirt-sock'))}"

    @property
    def static_address(self) -> str:
        """Static address translation of the host's `default` network, as `hosts add --static-address` takes it."""
        return f"{self.address}:{BASE_PORT}"

    @property
    def inside(self) -> Inside:
        """The host's namespaces."""
        if self._inside is None:
            message = f"{self.name} is off"
            raise AssertionError(message)
        return self._inside

    @property
    def is_on(self) -> bool:
        """Whether the host has been powered on, and its first process lives."""
        return self._inside is not None and Path(f"/proc/{self._inside.pid}").exists()

    def run(self, *command: str, check: bool = True, timeout: float = 60.0, stdin: str = "") -> str:
        """Run a command on the host as root and give its standard output; raises CommandFailed."""
        return self.inside.run(*command, check=check, timeout=timeout, stdin=stdin)

    def virsh(self, *command: str, check: bool = True, timeout: float = 60.0) -> str:
        """Run a virsh command on the host and give what it wrote."""
        return self.run("virsh", "--quiet", *command, check=check, timeout=timeout)

    def ssh(self, *command: str) -> str:
        """Run a command on the host by ssh from the machine, as the realm's service would."""
        options = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
        done = subprocess.run(
            ["ssh", "-q", "-i", str(self.key), *options, f"root@{self.address}", *command],
            capture_output=True, text=True, check=False, timeout=30, env=environment(),
        )  # fmt: skip
        if done.returncode != 0:
            message = f"ssh to {self.name}: exit {done.returncode}: {done.stderr.strip()}"
            raise CommandFailed(message)
        return done.stdout

    # Power

    def power_on(self) -> None:
        """Start the host; it is there when `wait_until_ready` returns."""
        for volatile in (self.folder / "run").iterdir():
            if volatile.is_dir() and not volatile.is_symlink():
                shutil.rmtree(volatile)
            else:
                volatile.unlink()
        (self.folder / "ready").unlink(missing_ok=True)
        command = (
            "unshare", "--mount", "--uts", "--net", "--pid", "--fork", "--kill-child",
            "sh", str(_HERE / "host.sh"), str(self.folder), self.name, self.address, str(BASE_PORT),
        )  # fmt: skip
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                self._anchor.all.command(*command),
                stdin=subprocess.PIPE, stdout=console, stderr=subprocess.STDOUT, env=environment(), cwd="/",
            )  # fmt: skip
        process = self._process
        unshare = eventually(lambda: child_of(process.pid), f"the namespaces of {self.name}", every=0.01)
        pid = eventually(lambda: child_of(unshare), f"the first process of {self.name}", every=0.01)
        self._inside = Inside(pid, "mount", "uts", "net", "pid")
        self._wire(
            f"ip link add {self._port} type veth peer name eth0 address {self._hardware_address} netns {pid}",
            f"ip link set {self._port} master lan",
            f"ip link set {self._port} up",
        )
        if process.stdin is not None:
            process.stdin.write(b"go\n")
            process.stdin.close()

    def wait_until_ready(self) -> None:
        """Wait until the host's libvirtd and sshd answer."""
        eventually(self._has_started, f"the start of {self.name}", seconds=60, every=0.02)
        eventually(lambda: answers(self.address, 22), f"sshd of {self.name}", every=0.02)

    def power_cut(self) -> None:
        """End the host and all its guests at once, as a pulled plug does."""
        os.kill(self.inside.pid, signal.SIGKILL)
        was_slow = self._relay is not None
        self.reap()
        if was_slow:
            self._wire(f"ip link delete near{self.number}", check=False)
        # The network namespace, and the link with it, goes a moment after its last process.
        self._wire(f"ip link delete {self._port}", check=False)

    def reap(self) -> None:
        """Take note that the host has ended, and end its slow wire."""
        self._inside = None
        self._reap_relay()
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _has_started(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            message = f"{self.name} did not start: {(self.folder / 'console.log').read_text(errors='replace')[-2000:]}"
            raise AssertionError(message)
        return (self.folder / "ready").exists()

    # Guests

    def define_guest(
        self,
        name: str,
        vcpus: int = 1,
        memory_mib: int = 96,
        *,
        hostdevs: Sequence[str] = (),
        boot: Boot = Boot.KERNEL,
        network: str | None = "default",
        busy: int = 0,
        port: int = 22,
    ) -> str:
        """Define a guest and give its UUID. With Boot.BRICK its disk is a new overlay in the volumes pool.

        `network` is `default` (NAT, reached by translation), `lab` (bridged across the hosts) or None.
        """
        disks: tuple[str, ...] = ()
        if boot is Boot.BRICK:
            disk, brick = self.shared / "vm" / f"{name}.qcow2", self.shared / "bricks" / "lab-guest.qcow2"
            self.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(brick), str(disk))
            self.virsh("pool-refresh", "ticrypt-vm")
            disks = (str(disk),)
        xml = domain_xml(
            name, vcpus=vcpus, memory_mib=memory_mib, boot=boot, disks=disks, hostdevs=hostdevs, network=network,
            busy=busy, port=port,
        )  # fmt: skip
        self.run("virsh", "--quiet", "define", "/dev/stdin", stdin=xml)
        return self.virsh("domuuid", name).strip()

    def start_guest(self, name: str, *, paused: bool = False) -> None:
        """Start a guest."""
        self.virsh("start", name, *(["--paused"] if paused else []))

    def stop_guest(self, name: str) -> None:
        """Turn a guest off the hard way."""
        self.virsh("destroy", name)

    def guest_state(self, name: str) -> str:
        """Return a guest's state as virsh says it: "running", "shut off" and so on."""
        return self.virsh("domstate", name).strip()

    def guest_address(self, name: str, seconds: float = 60.0) -> str:
        """Wait until a guest has an IPv4 address, and give it."""
        return eventually(lambda: self._address(name), f"an address of {name} on {self.name}", seconds, every=0.25)

    def _address(self, name: str) -> str | None:
        for source in ("lease", "agent"):
            answer = self.virsh("domifaddr", name, "--source", source, check=False)
            found = re.search(r"^\s*(?!lo\b)\S+\s.*?ipv4\s+([0-9.]+)/", answer, re.MULTILINE)
            if found:
                return found[1]
        return None

    def remove_guests(self) -> None:
        """Remove all guests and their disks."""
        for name in self.virsh("list", "--name").split():
            self.virsh("destroy", name, check=False)  # it may end by itself meanwhile, as after a migration
        for name in self.virsh("list", "--all", "--name").split():  # one that was not persistent is gone by now
            self.virsh("undefine", name, "--nvram", "--managed-save", "--snapshots-metadata", check=False)
            self.run("rm", "-f", str(self.shared / "vm" / f"{name}.qcow2"))
        eventually(lambda: not self.virsh("list", "--all", "--name").split(), f"{self.name} without guests")

    # Faults, and what mends them

    def hang(self) -> None:
        """Stop libvirtd in its tracks: it takes connections and never answers."""
        self._signal_libvirtd("STOP")

    def wake(self) -> None:
        """Let a hung libvirtd go on."""
        self._signal_libvirtd("CONT")

    def crash_libvirtd(self) -> None:
        """Kill libvirtd; guests go on running."""
        self._signal_libvirtd("KILL")
        eventually(lambda: not self._libvirtd_runs(), f"the end of libvirtd on {self.name}", every=0.02)

    def start_libvirtd(self) -> None:
        """Start libvirtd again."""
        self.run("libvirtd", "-d")

    def cut(self) -> None:
        """Pull the network cable."""
        self._wire(f"ip link set {self._port} down")

    def join(self) -> None:
        """Put the network cable back."""
        self._wire(f"ip link set {self._port} up")

    def slow(self, milliseconds: float) -> None:
        """Add to the round trip between this host and all others, the machine included; 0 takes it away."""
        self._end_relay()
        if milliseconds <= 0:
            return
        near, far = f"near{self.number}", f"far{self.number}"
        self._wire(
            f"ip link add {near} type veth peer name {far}",
            f"ip link set {near} master lan",
            f"ip link set {near} up",
            f"ip link set {far} up",
            f"ip link set {self._port} nomaster",
        )
        self._relay = subprocess.Popen(
            Inside(self._anchor.pid, "net", "pid").command(
                sys.executable, str(_HERE / "relay.py"), self._port, far, str(milliseconds / 2000)
            ),
            env=environment(),
            stdout=subprocess.PIPE,
        )
        if self._relay.stdout is not None:
            self._relay.stdout.readline()

    def lose_storage(self) -> None:
        """Hide the shared storage behind an empty folder, as on a host that forgot to mount it."""
        self.run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(self.shared))
        self.run("mkdir", *(str(self.shared / folder) for folder in POOLS.values()))

    def regain_storage(self) -> None:
        """Undo `lose_storage`."""
        self.run("umount", str(self.shared))

    def fill_storage(self, *, leave: int = 0) -> None:
        """Fill the shared storage, which all hosts see, up to `leave` bytes."""
        blocks, size = self.run("stat", "--file-system", "--format", "%a %S", str(self.shared)).split()
        nearly = max(0, int(blocks) * int(size) - (8 << 20))  # the file system needs some for its own records of this
        filling = self.shared / "filling"
        self.run("sh", "-c", f"fallocate -l {nearly} {filling}; cat /dev/zero >> {filling}", check=False)
        self.run("truncate", "--size", f"-{leave}", str(filling))

    def empty_storage(self) -> None:
        """Undo `fill_storage`."""
        self.run("rm", "-f", str(self.shared / "filling"))

    def mend(self) -> None:
        """Undo all faults and remove all guests."""
        if not self.is_on:
            self.power_on()
            self.wait_until_ready()
        self.wake()
        if not self._libvirtd_runs():
            self.start_libvirtd()
        self.join()
        self.slow(0)
        if self._storage_is_lost():
            self.regain_storage()
        self.empty_storage()
        self.remove_guests()

    @property
    def _port(self) -> str:
        return f"port{self.number}"

    def _wire(self, *commands: str, check: bool = True) -> None:
        self._anchor.network.run("sh", "-c", " && ".join(commands), check=check)

    def _end_relay(self) -> None:
        if self._relay is not None:
            self._reap_relay()
            self._wire(f"ip link delete near{self.number}", f"ip link set {self._port} master lan")

    def _reap_relay(self) -> None:
        if self._relay is None:
            return
        with suppress(ProcessLookupError):
            os.kill(child_of(self._relay.pid) or self._relay.pid, signal.SIGKILL)
        self._relay.wait()
        if self._relay.stdout is not None:
            self._relay.stdout.close()
        self._relay = None

    def _signal_libvirtd(self, name: str) -> None:
        self.run("sh", "-c", f"kill -{name} $(cat /run/libvirtd.pid)", check=name != "CONT")

    def _storage_is_lost(self) -> bool:
        return not self.run("sh", "-c", f"ls {self.shared}/bricks").strip()

    def _libvirtd_runs(self) -> bool:
        return bool(self.run("sh", "-c", "test ! -d /proc/$(cat /run/libvirtd.pid) || echo yes"))


def answers(address: str, port: int, seconds: float = 1.0) -> bool:
    """Return whether something accepts a TCP connection."""
    try:
        socket.create_connection((address, port), seconds).close()
    except OSError:
        return False
    return True


def greeting(address: str, port: int, seconds: float = 2.0) -> str:
    """Return the line with which something answers a TCP connection; empty where nothing does."""
    try:
        with socket.create_connection((address, port), seconds) as connection:
            connection.settimeout(seconds)
            return connection.makefile().readline().strip()
    except OSError:
        return ""
