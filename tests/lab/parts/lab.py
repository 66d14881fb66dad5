"""The lab: hosts, the bridge between them, and the storage that they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from . import slots
from .host import LabHost
from .host_files import POOLS, machine_uuid, write_host_files
from .namespaces import Anchor, CommandFailed, run
from .requirements import BRICK, why_not

if TYPE_CHECKING:
    from types import TracebackType

    from .slots import Slot

_MACHINE = 254
"""Last octet of the machine's own address on a lab's bridge."""

_DHCP = 253
"""Last octet of what gives guests on the bridged network their addresses, 100 to 200."""

MOST_HOSTS = 90
"""Hosts of a lab have the last octets 1, 2, 3 and so on, below those of guests."""


class Lab:
    """Real libvirt hosts, running. Make one with `start`, end it with `stop` or by a `with` statement.

    The lab ends with the process that started it, however that ends; the next start sweeps up what it left.
    """

    def __init__(self, slot: Slot, anchor: Anchor, hosts: tuple[LabHost, ...]) -> None:
        self.slot = slot
        self.hosts = hosts
        self._anchor = anchor

    @classmethod
    def start(cls, hosts: int = 3, *, storage_mib: int = 2048) -> Lab:
        """Start a lab and wait until all its hosts answer; raises RuntimeError where `why_not` has a reason."""
        reason = why_not()
        if reason is not None:
            raise RuntimeError(reason)
        if not 1 <= hosts <= MOST_HOSTS:
            message = f"a lab has 1 to {MOST_HOSTS} hosts, not {hosts}"
            raise ValueError(message)
        slot = slots.take()
        anchor: Anchor | None = None
        try:
            slot.folder.mkdir(mode=0o700)
            anchor = Anchor(slot.mark)
            _make_storage(slot, anchor, storage_mib)
            _make_network(slot, anchor)
            lab = cls(slot, anchor, _make_hosts(slot, anchor, hosts))
            for host in lab.hosts:
                host.power_on()
            for host in lab.hosts:
                host.wait_until_ready()
        except BaseException:
            if anchor is not None:
                anchor.end()
            slot.release()
            raise
        return lab

    @property
    def folder(self) -> Path:
        """Everything the lab writes is in here."""
        return self.slot.folder

    @property
    def key(self) -> Path:
        """The private key, RSA 2048, whose public half every host has among root's authorized keys."""
        return self.folder / "id_rsa"

    @property
    def shared(self) -> Path:
        """The shared storage, as the hosts see it."""
        return self.folder / "shared"

    @property
    def shared_from_outside(self) -> Path:
        """The shared storage, as processes of the machine reach it."""
        return Path(f"/proc/{self._anchor.pid}/root{self.shared}")

    def processes(self) -> list[int]:
        """All processes that live in the lab's namespaces, in the machine's numbers."""
        networks = {_network_of(self._anchor.pid), *(_network_of(host.inside.pid) for host in self.hosts if host.is_on)}
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return sorted(pid for pid in pids if _network_of(pid) in networks - {"ended"})

    def mend(self) -> None:
        """Undo all faults and remove all guests, so that the hosts are as at the start."""
        for host in self.hosts:
            host.mend()

    def stop(self) -> None:
        """End all hosts and guests, and remove everything the lab has made."""
        self._anchor.end()
        for host in self.hosts:
            host.reap()
        self.slot.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _network_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return "ended"


def _make_storage(slot: Slot, anchor: Anchor, mebibytes: int) -> None:
    """Make the shared storage: a file system of its own, so that it can be filled; in memory where loops are denied."""
    shared, image = slot.folder / "shared", slot.folder / "shared.img"
    shared.mkdir()
    run("truncate", "--size", f"{mebibytes}M", str(image))
    run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(image))
    try:
        anchor.all.run("mount", "-o", "loop,noatime", str(image), str(shared))
    except CommandFailed:
        anchor.all.run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(shared))
    anchor.all.run("mkdir", *(str(shared / folder) for folder in POOLS.values()))
    anchor.all.run("cp", str(BRICK), str(shared / "bricks/lab-guest.qcow2"))


def _make_network(slot: Slot, anchor: Anchor) -> None:
    """Make the bridge, the machine's link into it, and DHCP for guests that are bridged."""
    run("ip", "link", "add", slot.link, "type", "veth", "peer", "name", "machine", "netns", str(anchor.pid))
    run("ip", "address", "add", f"{slot.address(_MACHINE)}/24", "dev", slot.link)
    run("ip", "link", "set", slot.link, "up")
    anchor.network.run(
        "sh",
        "-e",
        "-c",
        "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore;"  # the wires to the hosts are no addresses of their own
        "ip link set lo up; ip link add lan type bridge; ip link set machine master lan; ip link set machine up;"
        f"ip link set lan up; ip address add {slot.address(_DHCP)}/24 dev lan",
    )
    anchor.all.run(
        "dnsmasq", "--conf-file=/dev/null", "--port=0", "--interface=lan", "--bind-interfaces", "--user=root",
        f"--dhcp-range={slot.address(100)},{slot.address(200)},12h", "--dhcp-option=3", "--dhcp-authoritative",
        f"--dhcp-leasefile={slot.folder}/leases", "--pid-file",
    )  # fmt: skip


def _make_hosts(slot: Slot, anchor: Anchor, count: int) -> tuple[LabHost, ...]:
    key, host_key = slot.folder / "id_rsa", slot.folder / "ssh_host_key"
    run("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "libvirt-realms-lab", "-f", str(key))
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key))
    names = [(f"h{number}", slot.address(number)) for number in range(1, count + 1)]
    hosts = []
    for number, (name, address) in enumerate(names, start=1):
        folder = slot.folder / name
        write_host_files(
            folder,
            machine=machine_uuid(slot.number, number),
            address=address,
            host_key=host_key,
            user_key=key,
            hosts=names,
            shared=slot.folder / "shared",
        )
        hosts.append(
            LabHost(
                number,
                lab=slot.number,
                address=address,
                folder=folder,
                key=key,
                shared=slot.folder / "shared",
                anchor=anchor,
            )
        )
    return tuple(hosts)
