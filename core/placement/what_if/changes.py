"""What-if on a fleet: other states of hosts, hosts that are gone, VMs more or less. The fleet itself stays as it is."""

import uuid
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.errors import UsageError
from core.fleet.fleet import VM, Fleet, HostSnapshot, VMKey, VMState
from core.hosts import HostState
from core.placement.engine.engine import with_vm, without_vm
from core.placement.engine.request import Request
from core.placement.engine.room import HostLedger
from core.text import printable
from core.units import format_size

_IMAGINED = uuid.UUID("0f5d1f5e-7b0a-5a7e-9b60-3f6f0f3a4c55")
"""Namespace of the UUIDs of VMs that exist only in a what-if."""


@dataclass(frozen=True, slots=True)
class HostInState:
    """What if a host were enabled, set to No Scheduling, or disabled; what is known of it stays what was last seen."""

    host: str
    state: HostState

    def __str__(self) -> str:
        return f"{printable(self.host)} {self.state.label}"

    def apply(self, configuration: Configuration, fleet: Fleet) -> Fleet:  # noqa: ARG002 - the same for all changes
        """Return the fleet as it would be; raises UsageError where the host is not there."""
        _find(fleet, self.host)
        return with_states(fleet, {self.host: self.state})


@dataclass(frozen=True, slots=True)
class HostGone:
    """What if a host were gone, with all that runs on it."""

    host: str

    def __str__(self) -> str:
        return f"without {printable(self.host)}"

    def apply(self, configuration: Configuration, fleet: Fleet) -> Fleet:  # noqa: ARG002 - as above
        """Return the fleet as it would be; raises UsageError where the host is not there."""
        _find(fleet, self.host)
        return without_hosts(fleet, {self.host})


@dataclass(frozen=True, slots=True)
class VMGone:
    """What if a VM were gone from its host."""

    key: VMKey
    name: str
    """The VM's name, for people to read."""

    def __str__(self) -> str:
        return f"without the VM {printable(self.key[0])}/{printable(self.name)}"

    def apply(self, configuration: Configuration, fleet: Fleet) -> Fleet:  # noqa: ARG002 - as above
        """Return the fleet as it would be; raises UsageError where the VM is not there."""
        try:
            return without_vm(fleet, self.key)
        except ValueError as error:
            raise UsageError(f"{self}: {error}") from error


@dataclass(frozen=True, slots=True)
class VMMore:
    """What if one more VM like this ran on a host, or `count` of them, whether the host would take them or not."""

    host: str
    request: Request
    count: int = 1

    def __str__(self) -> str:
        request = self.request
        devices = "".join(f", {count} {printable(kind)}" for kind, count in request.devices.items())
        vcpus = f"{request.vcpus} vCPU{'s' * (request.vcpus > 1)}"
        more = "a VM more" if self.count == 1 else f"{self.count} VMs more"
        each = "" if self.count == 1 else "each "
        return f"{more} on {printable(self.host)}: {each}{vcpus}, {format_size(request.memory_bytes)}{devices}"

    def apply(self, configuration: Configuration, fleet: Fleet) -> Fleet:
        """Return the fleet as it would be; raises UsageError where the host is not there or lacks the devices."""
        for _ in range(self.count):
            fleet = self._with_one(configuration, fleet)
        return fleet

    def _with_one(self, configuration: Configuration, fleet: Fleet) -> Fleet:
        snapshot = _find(fleet, self.host)
        room = HostLedger(configuration, snapshot, fleet.taken)
        devices = room.assign(self.request.devices)
        for kind, asked in self.request.devices.items():
            if (free := len(room.free(kind))) < asked:
                raise UsageError(f"{self}: {printable(self.host)} has {free} free {printable(kind)}")
        number = 1 + sum(vm.name.startswith("imagined-") for vm in snapshot.vms)
        name = f"imagined-{number}"
        vm = VM(
            name=name,
            uuid=str(uuid.uuid5(_IMAGINED, f"{self.host}/{name}")),
            host=self.host,
            realm=snapshot.host.realm,
            state=VMState.RUNNING,
            active=True,
            vcpus=self.request.vcpus,
            memory_bytes=self.request.memory_bytes,
            devices=devices,
            managed=True,
        )
        return with_vm(fleet, vm)


FleetChange = HostInState | HostGone | VMGone | VMMore


def with_states(fleet: Fleet, states: Mapping[str, HostState]) -> Fleet:
    """Return the fleet with hosts in other states, by name; what is known of them stays what was last seen."""
    return replace(
        fleet,
        hosts=tuple(
            replace(snapshot, host=replace(snapshot.host, state=states[snapshot.name]))
            if snapshot.name in states
            else snapshot
            for snapshot in fleet.hosts
        ),
    )


def without_hosts(fleet: Fleet, names: Container[str]) -> Fleet:
    """Return the fleet without these hosts and all that runs on them."""
    return replace(fleet, hosts=tuple(snapshot for snapshot in fleet.hosts if snapshot.name not in names))


def _find(fleet: Fleet, name: str) -> HostSnapshot:
    snapshot = fleet.host(name)
    if snapshot is None:
        raise UsageError(f"there is no host {printable(name)!r} in the fleet")
    return snapshot
