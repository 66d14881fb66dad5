"""The treaty: frozen snapshots of hosts and their VMs, with ages.

The driver produces a fleet, files hold one, the placement engine and the screens consume it. Names and UUIDs are kept
exactly as libvirt gives them and are the keys; only what is shown is sanitized. Times are seconds since the epoch.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.costs import NO_DEVICES, Use
from core.hardware import HardwareProfile, PciAddress
from core.hosts import Host
from core.reservations import Reservation


class VMState(StrEnum):
    """State of a VM. UNKNOWN is not a guess at OFF: it means that nobody knows."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTTING_DOWN = "shutting-down"
    SUSPENDED = "suspended"
    CRASHED = "crashed"
    OFF = "off"
    SAVED = "saved"
    """Off, with its memory saved on its host: the next start goes on from it."""
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The state as libvirt's tools write it: `shut off`, `shutting down` (specification, section 12)."""
        return "shut off" if self is VMState.OFF else self.value.replace("-", " ")


IO_ERROR = "I/O error"
"""The reason of a VM that is paused because it could not write to its storage, or read from it."""


class Connection(StrEnum):
    """How the program stands with a host. OFF: on purpose; UNKNOWN: nobody has tried."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"
    OFF = "off"
    UNKNOWN = "unknown"


class PoolState(StrEnum):
    """State of a storage pool on one host."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    MISSING = "missing"


VMKey = tuple[str, str]
"""What tells VMs apart in a fleet: the host's name and the domain's UUID (during a migration a UUID has two hosts)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VM:
    """A domain as its host showed it last.

    `active` says that libvirt gives it an id: it holds resources, even where it is paused or crashed but kept.
    `vcpus` and `memory_bytes` are the maxima. `cpu_percent` is 100 where all its vCPUs are busy; None before a second
    sample. `address` is the VM's own, `endpoint` where it is reached ("ip:port"), translated if the host says so.
    """

    name: str
    uuid: str
    host: str
    realm: str
    state: VMState
    active: bool
    vcpus: int
    memory_bytes: int
    devices: tuple[PciAddress, ...] = ()
    managed: bool = False
    """Marked by the realm in its metadata; others are foreign: counted, and changed only on purpose."""
    address: str | None = None
    endpoint: str | None = None
    cpu_percent: float | None = None
    started_at: float | None = None
    """When it was seen to start; None where that was before anyone looked."""
    state_reason: str = ""
    """Why it is paused, where nobody asked for it, such as IO_ERROR; empty elsewhere."""

    @property
    def key(self) -> VMKey:
        """The VM's key in the fleet."""
        return (self.host, self.uuid)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """A host, and what was last seen of it.

    `observed_at` is the time of the last complete answer, None before the first. `vms` and `pools` are as of then, and
    stay as they were while the host does not answer. `pools` None: nobody looked, assumed present.
    """

    host: Host
    connection: Connection
    observed_at: float | None = None
    vms: tuple[VM, ...] = ()
    pools: Mapping[str, PoolState] | None = None
    reservations: tuple[Reservation, ...] = ()
    error: str = ""
    """Why there is no connection, for the operator; empty while there is one."""
    machine_uuid: str | None = None
    """Libvirt's UUID of the machine: two hosts that share it are the same machine registered twice."""
    addresses_asked: bool = False
    """Whether the addresses of its VMs have been looked up since it was connected: until then they may be missing."""

    @property
    def name(self) -> str:
        """The host's name in the registry."""
        return self.host.name

    @property
    def is_known(self) -> bool:
        """Whether the host has ever answered."""
        return self.observed_at is not None

    def age(self, now: float) -> float | None:
        """Age of the data in seconds; None where there are none."""
        return None if self.observed_at is None else max(0.0, now - self.observed_at)

    def active_vms(self) -> Iterator[VM]:
        """VMs that hold resources now."""
        return (vm for vm in self.vms if vm.active)

    def state_of(self, vm: VM) -> VMState:
        """State of one of its VMs now: unknown where the host does not answer, whatever it was when last seen."""
        return vm.state if self.connection is Connection.CONNECTED else VMState.UNKNOWN

    def pending_reservations(self) -> tuple[Reservation, ...]:
        """Reservations that still count: those whose VM no newer snapshot shows active (specification, section 8)."""
        if not self.reservations:
            return ()
        active = {vm.uuid for vm in self.vms if vm.active}
        return tuple(
            reservation
            for reservation in self.reservations
            if reservation.uuid not in active or self.observed_at is None or self.observed_at <= reservation.taken_at
        )

    def addresses_in_use(self) -> frozenset[PciAddress]:
        """PCI addresses that active VMs hold or that are reserved."""
        held = {address for vm in self.active_vms() for address in vm.devices}
        held.update(address for reservation in self.pending_reservations() for address in reservation.devices)
        return frozenset(held)

    def use(self, profile: HardwareProfile | None) -> Use:
        """Use of the host: its active VMs and pending reservations (specification, section 8).

        Devices are counted by the profile's types; addresses that the profile doesn't list are counted as nothing.
        """
        pending = self.pending_reservations()
        replaced = {reservation.uuid for reservation in pending}
        holders: list[VM | Reservation] = [vm for vm in self.active_vms() if vm.uuid not in replaced]
        holders.extend(pending)
        devices: Mapping[str, int] = NO_DEVICES
        if profile is not None and profile.devices:
            held = self.addresses_in_use()
            devices = Counter(device.type for device in profile.devices if device.address in held)
        return Use(
            vms=len(holders),
            vcpus=sum(holder.vcpus for holder in holders),
            memory_bytes=sum(holder.memory_bytes for holder in holders),
            devices=devices,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """All hosts at one moment. Ages are counted from `taken`."""

    taken: float
    hosts: tuple[HostSnapshot, ...] = field(default=())

    def host(self, name: str) -> HostSnapshot | None:
        """Find a host by its name."""
        return next((snapshot for snapshot in self.hosts if snapshot.name == name), None)

    def vms(self) -> Iterator[VM]:
        """All VMs, host by host."""
        return (vm for snapshot in self.hosts for vm in snapshot.vms)

    def age(self, snapshot: HostSnapshot) -> float | None:
        """Age of a host's data in seconds; None where there are none."""
        return snapshot.age(self.taken)

    @property
    def hosts_total(self) -> int:
        """Number of hosts that are not disabled."""
        return sum(snapshot.host.state.connects for snapshot in self.hosts)

    @property
    def hosts_answering(self) -> int:
        """Number of hosts that are not disabled and connected now."""
        return sum(
            snapshot.host.state.connects and snapshot.connection is Connection.CONNECTED for snapshot in self.hosts
        )
