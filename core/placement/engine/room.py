"""The room on one host, kept up to date while VMs are placed on it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from core.codes import Why
from core.config.model import Configuration
from core.costs import NO_DEVICES, CostFunction, Use
from core.fleet.fleet import HostSnapshot
from core.hardware import PciAddress
from core.placement.engine import reasons
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Verdict

_USE_UNKNOWN = frozenset({Why.NOT_CONNECTED, Why.STALE, Why.UNKNOWN_PROFILE})


class HostLedger:
    """What a host has in use and has left; `now` is the moment from which the age of its data is counted.

    Placing many VMs changes one room at a time, without copying the fleet.
    """

    __slots__ = ("_by_state", "_holders", "_is_current", "_profile", "_realm", "_snapshot", "function", "use")

    def __init__(self, configuration: Configuration, snapshot: HostSnapshot, now: float) -> None:
        self._snapshot = snapshot
        self._realm = configuration.realms.get(snapshot.host.realm)
        self._profile = profile = configuration.hardware_profiles.get(snapshot.host.profile)
        self.function: CostFunction | None = (
            configuration.cost_functions.get(profile.cost_function) if profile is not None else None
        )
        """Cost function of the host's profile; None where either is not in the configuration."""
        self._by_state = tuple(reasons.by_state(configuration, snapshot, now))
        whys = {refusal.why for refusal in self._by_state}
        self._is_current = whys.isdisjoint({Why.NOT_CONNECTED, Why.STALE})
        self.use: Use | None = snapshot.use(profile) if whys.isdisjoint(_USE_UNKNOWN) else None
        """Use now; None where nobody knows it."""
        self._holders: Counter[PciAddress] = Counter()
        if self.use is not None:
            for vm in snapshot.vms:
                if vm.devices and vm.active:
                    self._holders.update(vm.devices)
            for reservation in snapshot.pending_reservations():
                self._holders.update(reservation.devices)

    @property
    def host(self) -> str:
        """The host's name."""
        return self._snapshot.name

    @property
    def realm(self) -> str:
        """Id of the host's realm."""
        return self._snapshot.host.realm

    def free(self, kind: str) -> tuple[PciAddress, ...]:
        """Addresses of a type that nobody holds, in the order in which they are assigned."""
        if self._profile is None:
            return ()
        return tuple(
            address for address in dict.fromkeys(self._profile.addresses(kind)) if not self._holders.get(address)
        )

    def verdict(self, request: Request) -> Verdict:
        """Judge the host: its cost before and after, every reason against it (specification, section 8)."""
        refusals = list(self._by_state)
        before = after = None
        function = self.function
        if self.use is not None and function is not None and self._profile is not None:
            before = function.cost(self.use, request.devices)
            after = function.cost(self.use + request.use)
            for kind, asked in request.devices.items():
                if (free := len(self.free(kind))) < asked:
                    owned = len(self._profile.addresses(kind))
                    refusals.append(reasons.no_free_device(kind, asked, free, owned))
            refusals.extend(reasons.infinite_cost(function, after))
        if self._is_current and self._realm is not None:
            refusals.extend(reasons.by_pools(self._realm, request, self._snapshot))
        return Verdict(
            host=self.host,
            realm=self.realm,
            use=self.use,
            before=before,
            cost=after,
            scale=function.scale if function is not None else None,
            offset=function.offset if function is not None else None,
            refusal=refusals[0] if refusals else None,
            also=tuple(refusals[1:]),
            devices=() if refusals else self.assign(request.devices),
        )

    def assign(self, devices: Mapping[str, int]) -> tuple[PciAddress, ...]:
        """Choose free addresses for numbers of devices by type; fewer than asked where the host has no more."""
        return tuple(address for kind, count in devices.items() for address in self.free(kind)[:count])

    def take(self, request: Request) -> tuple[PciAddress, ...]:
        """Count one such VM as placed here and give it its devices."""
        assigned = self.assign(request.devices)
        self.add(request.vcpus, request.memory_bytes, assigned)
        return assigned

    def add(self, vcpus: int, memory_bytes: int, devices: Iterable[PciAddress]) -> None:
        """Count one more active VM on a host whose use is known."""
        self._count(1, vcpus, memory_bytes, devices)

    def remove(self, vcpus: int, memory_bytes: int, devices: Iterable[PciAddress]) -> None:
        """Count one active VM less on a host whose use is known."""
        self._count(-1, -vcpus, -memory_bytes, devices)

    def _count(self, sign: int, vcpus: int, memory_bytes: int, devices: Iterable[PciAddress]) -> None:
        if self.use is None or self._profile is None:
            message = f"the use of {self.host} is unknown"
            raise ValueError(message)
        kinds: Counter[str] = Counter()
        for address in devices:
            held = self._holders[address]
            self._holders[address] += sign
            kind = self._profile.type_of(address)
            if kind is not None and bool(held) != bool(held + sign):  # several VMs may claim one address
                kinds[kind] += sign
        self.use += Use(sign, vcpus, memory_bytes, kinds or NO_DEVICES)
