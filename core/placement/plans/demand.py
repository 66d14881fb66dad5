"""What a VM that runs asks of another host, and what keeps it where it is (specification, sections 8, 9 and 11)."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from core.codes import Stays
from core.fleet.fleet import VM, Connection, HostSnapshot, VMState
from core.hardware import HardwareProfile
from core.hosts import HostState
from core.placement.engine.ledger import HostLine, Ledger
from core.placement.engine.request import Request
from core.text import printable

MOST_SHOWN = 5
"""Hosts whose reasons stand in a message."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A VM that a plan can't move; `why` is one of Stays or a reason against hosts (Why)."""

    vm: VM
    why: str
    message: str

    def __str__(self) -> str:
        return f"{printable(self.vm.name)}: {self.message}"


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """Which VMs a plan may move besides those that the realm made and that hold no devices.

    A VM that holds PCI devices can't be moved while it runs: it has to be shut down on the way.
    """

    foreign: bool = False
    with_devices: bool = False


DEFAULT_POLICY = MovePolicy()
"""What every plan goes by by default."""


def request_of(profile: HardwareProfile | None, vm: VM, realm: str) -> Request:
    """Return what a VM asks of another host of its realm: its maxima, and its devices by type.

    A VM without vCPUs or memory, as only a file can tell of, asks for the least that there is.
    """
    kinds = Counter(kind for address in vm.devices if profile is not None and (kind := profile.type_of(address)))
    return Request(max(1, vm.vcpus), max(1, vm.memory_bytes), kinds, realm)


def largest_first(vm: VM) -> tuple[int, int, str, str]:
    """Order in which plans place VMs (cli.md): memory, then vCPUs, the larger first, then name."""
    return (-vm.memory_bytes, -vm.vcpus, vm.name, vm.uuid)


class Movables:
    """Judges which VMs of a fleet a plan may move."""

    def __init__(self, ledger: Ledger, policy: MovePolicy) -> None:
        self._ledger = ledger
        self._policy = policy

    def host_stuck(self, snapshot: HostSnapshot) -> tuple[Stays, str] | None:
        """Return why nothing can be moved away from a host; None where that can be done."""
        host = snapshot.host
        realm = self._ledger.configuration.realms.get(host.realm)
        age = self._ledger.fleet.age(snapshot)
        if realm is None:
            return Stays.UNKNOWN_REALM, f"realm {host.realm} is not in the configuration"
        if realm.disabled:
            return Stays.REALM_DISABLED, f"realm {realm.id} is disabled"
        if host.state is HostState.DISABLED:
            return Stays.HOST_DISABLED, f"{host.name} is disabled: its VMs are not touched"
        if snapshot.connection is not Connection.CONNECTED or age is None:
            return Stays.NOT_CONNECTED, f"{host.name} does not answer: the state of its VMs is unknown"
        if age > realm.stale_after:
            return Stays.STALE, f"{host.name} answered last {age:.0f} s ago: its data are too old for moves"
        return None

    def stuck(self, snapshot: HostSnapshot, vm: VM) -> tuple[Stays, str] | None:
        """Return why a VM of a host that answers stays; None where it may move."""
        profile = self._ledger.configuration.hardware_profiles.get(snapshot.host.profile)
        if not vm.active:
            return Stays.INACTIVE, "it is off: it uses no resources and stays defined there"
        if vm.uuid in self._ledger.reserved:
            return (Stays.RESERVED, f"it is reserved on {self._ledger.reserved[vm.uuid]}")
        if vm.uuid in self._ledger.active_twice:
            return Stays.ACTIVE_ELSEWHERE, "a VM of this UUID is active on another host too"
        if vm.state not in (VMState.RUNNING, VMState.PAUSED):
            return Stays.STATE, f"it is {vm.state.value}: only a running or paused VM can be moved"
        if not vm.managed and not self._policy.foreign:
            return Stays.FOREIGN, "it is foreign: no realm created it, so it is moved only on request"
        strangers = [address for address in vm.devices if profile is None or profile.type_of(address) is None]
        if strangers:
            message = f"it uses {strangers[0]}, which the hardware profile of {snapshot.name} does not list"
            return Stays.UNKNOWN_DEVICE, message
        if vm.devices and not self._policy.with_devices:
            return Stays.HOLDS_DEVICES, "it uses PCI devices: it would have to be shut down to move"
        return None


def no_place(ledger: Ledger, request: Request, apart_from: Collection[int]) -> tuple[str, str]:
    """Return why no host but these can take a VM: the most frequent reason, and those of the hosts nearest to it.

    Hosts that only their cost, devices or pools keep from taking it come first, among them those with its devices.
    """
    others = [
        host for host, line in enumerate(ledger.hosts) if host not in apart_from and request.realm in (None, line.realm)
    ]
    if not others:
        return Stays.NO_OTHER_HOST, f"realm {request.realm} has no other host"
    others.sort(key=lambda host: _distance(ledger.hosts[host], request))
    shown = [verdict for host in others[:MOST_SHOWN] if (verdict := ledger.verdict(host, request)).refusal]
    why = Counter(verdict.refusal.why.value for verdict in shown if verdict.refusal is not None).most_common(1)[0][0]
    reasons = "; ".join(f"{verdict.host}: {verdict.refusal}" for verdict in shown)
    more = len(others) - len(shown)
    return why, f"no host can take it: {reasons}" + (f"; and {more} more hosts" if more > 0 else "")


def _distance(line: HostLine, request: Request) -> tuple[bool, bool]:
    kinds = line.tariff.kinds if line.tariff is not None else ()
    return bool(line.refusals), any(kind not in kinds for kind in request.devices)
