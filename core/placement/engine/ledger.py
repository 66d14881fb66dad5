"""The ledger of a fleet: what each host has in use, changed in place while a plan places, moves and removes VMs.

The quick counterpart of `rooms`: the same use, the same costs to the last bit, the same devices. Hosts stand in the
order of their names, so that a smaller index wins the last of the ties.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from math import isfinite

from core.codes import Why
from core.config.model import Configuration
from core.curves import INFINITY
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.hardware import HardwareProfile, PciAddress
from core.placement.engine import reasons
from core.placement.engine.request import Request
from core.placement.engine.room import HostLedger
from core.placement.engine.tariff import Tariff
from core.placement.engine.verdicts import Refusal, Verdict

_USE_UNKNOWN = frozenset({Why.NOT_CONNECTED, Why.STALE, Why.UNKNOWN_PROFILE})


Place = tuple[float, float, int, int]
"""A host that can take a VM: cost with it, rise, VMs before, index in the ledger. The smallest is the best."""


class HostLine:
    """One host's line in the ledger. `tariff` is None where its use or its cost function is not known."""

    __slots__ = (
        "addresses", "changes", "cost", "devices", "holders", "memory", "name", "owned", "profile", "realm",
        "refusals", "snapshot", "tariff", "vcpus", "vms",
    )  # fmt: skip

    def __init__(self, configuration: Configuration, snapshot: HostSnapshot, now: float) -> None:
        self.snapshot = snapshot
        self.name = snapshot.name
        self.realm = snapshot.host.realm
        self.refusals: tuple[Refusal, ...] = tuple(reasons.by_state(configuration, snapshot, now))
        """Reasons that hold for any VM."""
        self.profile = configuration.hardware_profiles.get(snapshot.host.profile)
        self.tariff: Tariff | None = None
        self.vms = self.vcpus = self.memory = 0
        self.devices: list[int] = []
        """Devices in use, in the order of the tariff's `kinds`."""
        self.owned: list[int] = []
        """Devices that the profile lists, in the same order."""
        self.addresses: dict[PciAddress, int] = {}
        """The profile's addresses, in its order, with the place of their type in `kinds`."""
        self.holders: Counter[PciAddress] = Counter()
        """Number of VMs and reservations that claim an address of the profile."""
        self.cost = INFINITY
        """Cost of the host now; infinite, too, where nobody knows it."""
        self.changes: list[tuple[int, int, int, tuple[PciAddress, ...]]] = []
        """What was changed since the fleet was seen: sign, vCPUs, memory, addresses."""

    def open(self, profile: HardwareProfile, tariff: Tariff) -> None:
        """Count what is in use on a host whose use is known."""
        self.tariff = tariff
        snapshot = self.snapshot
        if not profile.devices and not snapshot.reservations:
            vms = [vm for vm in snapshot.vms if vm.active]
            self.vms = len(vms)
            self.vcpus = sum([vm.vcpus for vm in vms])
            self.memory = sum([vm.memory_bytes for vm in vms])
            self.devices = self.owned = [0] * len(tariff.kinds)
        else:
            use = snapshot.use(profile)
            self.vms, self.vcpus, self.memory = use.vms, use.vcpus, use.memory_bytes
            self.devices = [use.devices.get(kind, 0) for kind in tariff.kinds]
            self.owned = [len(profile.addresses(kind)) for kind in tariff.kinds]
            places = {kind: place for place, kind in enumerate(tariff.kinds)}
            self.addresses = {device.address: places[device.type] for device in profile.devices}
            for held in (
                *(vm.devices for vm in snapshot.active_vms()),
                *(reservation.devices for reservation in snapshot.pending_reservations()),
            ):
                self.holders.update(address for address in held if address in self.addresses)
        self.price()

    def price(self) -> None:
        """Work out the cost of the host now."""
        if self.tariff is not None:
            self.cost = self.tariff.total(self.vms, self.vcpus, self.memory, self.devices)

    def cost_with(self, request: Request) -> float:
        """Cost of the host with one such VM more; infinity where its cost or its free devices don't allow it."""
        tariff = self.tariff
        if tariff is None:
            return INFINITY
        devices: list[int] = self.devices
        if request.devices:
            grown = self._with_devices(request)
            if grown is None:
                return INFINITY
            devices = grown
        return tariff.total(self.vms + 1, self.vcpus + request.vcpus, self.memory + request.memory_bytes, devices)

    def cost_without(self, vm: VM) -> float:
        """Cost of the host without one of its active VMs."""
        if self.tariff is None:
            return INFINITY
        devices = self.devices
        if vm.devices:
            devices = devices.copy()
            for address in vm.devices:
                if self.holders[address] == 1:
                    devices[self.addresses[address]] -= 1
        return self.tariff.total(self.vms - 1, self.vcpus - vm.vcpus, self.memory - vm.memory_bytes, devices)

    def _with_devices(self, request: Request) -> list[int] | None:
        kinds, devices = self.tariff.kinds if self.tariff is not None else (), self.devices.copy()
        for kind, asked in request.devices.items():
            if kind not in kinds:
                return None
            place = kinds.index(kind)
            devices[place] += asked
            if devices[place] > self.owned[place]:
                return None
        return devices

    def aside(self) -> HostLine:
        """Return a copy that can be changed without changing this one, for `cost_with` and `occupy` only."""
        copy = object.__new__(HostLine)
        copy.realm, copy.tariff, copy.devices, copy.owned = self.realm, self.tariff, self.devices, self.owned
        copy.vms, copy.vcpus, copy.memory, copy.cost = self.vms, self.vcpus, self.memory, self.cost
        return copy

    def occupy(self, request: Request, cost: float) -> None:
        """Count one such VM more on a copy; `cost` is what `cost_with` has said."""
        if request.devices:
            self.devices = self._with_devices(request) or self.devices
        self.vms += 1
        self.vcpus += request.vcpus
        self.memory += request.memory_bytes
        self.cost = cost

    def free(self, kind: str) -> list[PciAddress]:
        """Addresses of a type that nobody holds, in the order in which they are assigned."""
        if self.tariff is None or kind not in self.tariff.kinds:
            return []
        place = self.tariff.kinds.index(kind)
        return [address for address, its in self.addresses.items() if its == place and not self.holders[address]]

    def count(
        self, sign: int, vcpus: int, memory: int, devices: tuple[PciAddress, ...], cost: float | None = None
    ) -> None:
        """Count one active VM more (`sign` 1) or less (-1); `cost` is the cost then, where that is known."""
        self.vms += sign
        self.vcpus += sign * vcpus
        self.memory += sign * memory
        for address in devices:
            if (place := self.addresses.get(address)) is None:
                continue
            held = self.holders[address]
            self.holders[address] += sign
            if bool(held) != bool(held + sign):  # several VMs may claim one address
                self.devices[place] += sign
        self.changes.append((sign, vcpus, memory, devices))
        if cost is None:
            self.price()
        else:
            self.cost = cost

    def undo(self) -> None:
        """Take back the last change."""
        sign, vcpus, memory, devices = self.changes.pop()
        self.count(-sign, vcpus, memory, devices)
        self.changes.pop()


class Ledger:
    """All hosts of a fleet; `take`, `add` and `remove` change it, never the fleet or the configuration."""

    def __init__(self, configuration: Configuration, fleet: Fleet) -> None:
        self.configuration = configuration
        self.fleet = fleet
        self.hosts = [
            HostLine(configuration, snapshot, fleet.taken)
            for snapshot in sorted(fleet.hosts, key=lambda snapshot: snapshot.name)
        ]
        """By name."""
        tariffs: dict[str, Tariff] = {}
        for line in self.hosts:
            profile = line.profile
            if profile is None or any(refusal.why in _USE_UNKNOWN for refusal in line.refusals):
                continue
            key = line.snapshot.host.profile
            if key not in tariffs:
                tariffs[key] = Tariff(configuration.cost_function_of(profile), profile.device_types)
            line.open(profile, tariffs[key])
        self.index = {line.name: index for index, line in enumerate(self.hosts)}
        """Index of each host by its name."""
        self._candidates: dict[tuple[str | None, bool], tuple[int, ...]] = {}

    @cached_property
    def reserved(self) -> dict[str, str]:
        """UUIDs that have a reservation, and the host where.

        One that doesn't count any more, because its VM is seen active there, would count again if the VM went away.
        """
        return {reservation.uuid: line.name for line in self.hosts for reservation in line.snapshot.reservations}

    @cached_property
    def active_twice(self) -> frozenset[str]:
        """UUIDs that are active on several hosts, as in a migration."""
        active = [vm.uuid for line in self.hosts for vm in line.snapshot.vms if vm.active]
        once = set(active)
        return frozenset() if len(once) == len(active) else frozenset(Counter(active) - Counter(once))

    def candidates(self, request: Request) -> tuple[int, ...]:
        """Hosts that only their cost or their devices can keep from taking the VM: of its realm, in a fit state."""
        asked = (request.realm, request.needs_drives_pool)
        if asked not in self._candidates:
            self._candidates[asked] = tuple(
                index
                for index, line in enumerate(self.hosts)
                if request.realm in (None, line.realm)
                and not line.refusals
                and not any(reasons.by_pools(self.configuration.realms[line.realm], request, line.snapshot))
            )
        return self._candidates[asked]

    def place(self, host: int, request: Request) -> Place | None:
        """Return what a candidate would cost with the VM on it; None where it can't take it."""
        line = self.hosts[host]
        cost = line.cost_with(request)
        return None if cost == INFINITY else (cost, cost - line.cost, line.vms, host)

    def places(self, request: Request, apart_from: int = -1) -> list[Place]:
        """Return all hosts that can take the VM, one left out, in no particular order."""
        hosts = self.hosts
        candidates = [host for host in self.candidates(request) if host != apart_from]
        if request.devices:
            return [place for host in candidates if (place := self.place(host, request)) is not None]
        found: list[Place] = []
        vcpus, memory = request.vcpus, request.memory_bytes
        for host in candidates:
            line = hosts[host]
            tariff, vms = line.tariff, line.vms
            if tariff is None:
                continue
            # `Tariff.total`, written out: this is the innermost loop of every plan.
            cost = tariff.vms[vms + 1] + tariff.vcpus[line.vcpus + vcpus] + tariff.memory[line.memory + memory]
            for table, count in zip(tariff.devices, line.devices, strict=True):
                cost += table[count]
            cost = cost * tariff.scale + tariff.offset + 0.0
            if isfinite(cost):
                found.append((cost, cost - line.cost, vms, host))
        return found

    def best(self, request: Request, apart_from: int = -1) -> Place | None:
        """Find the host that takes the VM, as `rank` would, one host left out; None where none can."""
        return min(self.places(request, apart_from), default=None)

    def take(self, host: int, request: Request, cost: float | None = None) -> tuple[PciAddress, ...]:
        """Count one such VM as placed on a host and give it its devices; `cost` is what `place` said, if it did."""
        line = self.hosts[host]
        devices: tuple[PciAddress, ...] = ()
        if request.devices:
            devices = tuple(address for kind, count in request.devices.items() for address in line.free(kind)[:count])
        line.count(1, request.vcpus, request.memory_bytes, devices, cost)
        return devices

    def add(self, host: int, vcpus: int, memory_bytes: int, devices: Iterable[PciAddress] = ()) -> None:
        """Count one active VM more on a host whose use is known."""
        self.hosts[host].count(1, vcpus, memory_bytes, tuple(devices))

    def remove(self, host: int, vcpus: int, memory_bytes: int, devices: Iterable[PciAddress] = ()) -> None:
        """Count one active VM less on a host whose use is known."""
        self.hosts[host].count(-1, vcpus, memory_bytes, tuple(devices))

    def undo(self, host: int) -> None:
        """Take back the last change of a host."""
        self.hosts[host].undo()

    def verdict(self, host: int, request: Request) -> Verdict:
        """Judge a host as it now stands in the ledger, with every reason and number: the plain engine's verdict."""
        return self.room(host).verdict(request)

    def room(self, host: int) -> HostLedger:
        """Open the plain ledger of a host as it now stands here."""
        line = self.hosts[host]
        room = HostLedger(self.configuration, line.snapshot, self.fleet.taken)
        for sign, vcpus, memory, devices in line.changes:
            (room.add if sign > 0 else room.remove)(vcpus, memory, devices)
        return room


class HostQueue:
    """The hosts of a ledger in the order in which they take VMs of one request, one host left out.

    Nothing else may change the ledger meanwhile.
    """

    __slots__ = ("_heap", "_ledger", "request")

    def __init__(self, ledger: Ledger, request: Request, apart_from: int = -1) -> None:
        self.request = request
        self._ledger = ledger
        self._heap = ledger.places(request, apart_from)
        heapq.heapify(self._heap)

    def best(self) -> Place | None:
        """Return the host that takes the next VM; None where none can."""
        return self._heap[0] if self._heap else None

    def take(self) -> tuple[PciAddress, ...]:
        """Place a VM on the best host, in the ledger too, and give it its devices."""
        cost, _, _, host = self._heap[0]
        devices = self._ledger.take(host, self.request, cost)
        place = self._ledger.place(host, self.request)
        if place is None:
            heapq.heappop(self._heap)
        else:
            heapq.heapreplace(self._heap, place)
        return devices
