"""What would have to change for a refused host to take the VM: the smallest change of each kind (section 11).

Pure functions of a configuration, a fleet and a request. What stands in the way by state comes first and all of it must
change; what is missing in room can be made up in several ways, each of which is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from core.codes import Why
from core.config.model import Configuration
from core.costs import CostFunction, Term, Use
from core.curves import INFINITY, Unavailable
from core.errors import UsageError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot
from core.hosts import HostState
from core.placement.engine.engine import judge
from core.placement.engine.finite_inputs import largest_finite_input
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Refusal, Verdict
from core.realms import Realm

_OF_ROOM = frozenset({Why.NO_FREE_DEVICE, Why.COST_INFINITE})
_WITHOUT_CURVE = Unavailable()
_DEVICES = "devices."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What a refused host needs.

    `first` are the reasons by state: each has to go. `fits_then` says whether that is all, by what was last seen of the
    host; None where nobody knows its use or its profile. Where it is False, each of the other three is enough by
    itself, and None where that way doesn't exist.
    """

    host: str
    first: tuple[Refusal, ...]
    fits_then: bool | None
    free: Mapping[str, int] | None = None
    """How much less of each attribute (vms, vcpus, memory in bytes, `devices.TYPE`) must be in use: all of it."""
    ask: Request | None = None
    """The largest request of this kind that would fit."""
    move: VM | None = None
    """The smallest VM (by memory, vCPUs, name) whose going alone lets the new one fit."""


def remedy(configuration: Configuration, fleet: Fleet, request: Request, snapshot: HostSnapshot) -> Remedy | None:
    """Return what would make a host take a VM; None where it does already."""
    verdict = judge(configuration, fleet, request, snapshot)
    if verdict.feasible:
        return None
    first = tuple(reason for reason in verdict.reasons if reason.why not in _OF_ROOM)
    if not snapshot.is_known or any(reason.why is Why.UNKNOWN_PROFILE for reason in first):
        return Remedy(host=snapshot.name, first=first, fits_then=None)
    healthy = _Healthy(configuration, fleet, snapshot)
    verdict = healthy.judge(request)
    if verdict.feasible:
        return Remedy(host=snapshot.name, first=first, fits_then=True)
    return Remedy(
        host=snapshot.name,
        first=first,
        fits_then=False,
        free=_free(healthy, request, verdict),
        ask=_ask(healthy, request, verdict),
        move=_move(healthy, request),
    )


class _Healthy:
    """The host without any reason by state: enabled, connected, its pools there, its use as last seen."""

    def __init__(self, configuration: Configuration, fleet: Fleet, snapshot: HostSnapshot) -> None:
        realm = configuration.realms.get(snapshot.host.realm) or Realm(id=snapshot.host.realm, name="")
        realms = {**configuration.realms, realm.id: replace(realm, disabled=False)}
        self._configuration = Configuration(configuration.cost_functions, configuration.hardware_profiles, realms)
        self._taken = fleet.taken
        self.snapshot = replace(
            snapshot,
            host=replace(snapshot.host, state=HostState.ENABLED),
            connection=Connection.CONNECTED,
            # Reservations count by whether they are newer than the last look: that stays as it was.
            reservations=snapshot.pending_reservations(),
            pools=None,
        )
        profile = configuration.hardware_profiles[snapshot.host.profile]
        self.function: CostFunction = configuration.cost_functions[profile.cost_function]
        self.profile = profile
        self.use = snapshot.use(profile)
        held = snapshot.addresses_in_use()
        self.free = {
            kind: sum(address not in held for address in set(profile.addresses(kind))) for kind in profile.device_types
        }
        self.owned = {kind: len(set(profile.addresses(kind))) for kind in profile.device_types}

    def judge(self, request: Request, without: VM | None = None) -> Verdict:
        """Judge it, as seen at the moment at which it was; without one of its VMs."""
        snapshot = self.snapshot
        if without is not None:
            snapshot = replace(snapshot, vms=tuple(vm for vm in snapshot.vms if vm is not without))
        now = self._taken if snapshot.observed_at is None else snapshot.observed_at
        return judge(self._configuration, Fleet(now, (snapshot,)), request, snapshot)


def _infinite(verdict: Verdict) -> list[Term]:
    return [term for term in verdict.terms if not term.feasible]


def _free(healthy: _Healthy, request: Request, verdict: Verdict) -> Mapping[str, int] | None:
    amounts: dict[str, int] = {}
    own = {"vms": 1, "vcpus": request.vcpus, "memory": request.memory_bytes}
    for term in _infinite(verdict):
        kind = term.attribute.removeprefix(_DEVICES)
        least = request.devices.get(kind, 0) if kind != term.attribute else own[term.attribute]
        end = largest_finite_input(term.curve or _WITHOUT_CURVE, least, term.input)
        if end is None:
            return None
        amounts[term.attribute] = term.input - end
    for kind, asked in request.devices.items():
        missing = asked - healthy.free.get(kind, 0)
        if missing > 0:
            if healthy.owned.get(kind, 0) < asked:
                return None
            amounts[_DEVICES + kind] = max(missing, amounts.get(_DEVICES + kind, 0))
    if not amounts or healthy.function.total(_reduced(healthy.use, amounts) + request.use) == INFINITY:
        return None
    return MappingProxyType(amounts)


def _reduced(use: Use, amounts: Mapping[str, int]) -> Use:
    devices = {kind: count - amounts.get(_DEVICES + kind, 0) for kind, count in use.devices.items()}
    return Use(
        use.vms - amounts.get("vms", 0),
        use.vcpus - amounts.get("vcpus", 0),
        use.memory_bytes - amounts.get("memory", 0),
        devices,
    )


def _ask(healthy: _Healthy, request: Request, verdict: Verdict) -> Request | None:
    use, function = healthy.use, healthy.function
    vcpus, memory_bytes, devices = request.vcpus, request.memory_bytes, dict(request.devices)
    for term in _infinite(verdict):
        if term.curve is None or term.attribute.startswith(_DEVICES):
            continue
        before = term.input - {"vms": 1, "vcpus": vcpus, "memory": memory_bytes}[term.attribute]
        end = largest_finite_input(term.curve, before + 1, term.input)
        if end is None or term.attribute == "vms":
            return None
        if term.attribute == "vcpus":
            vcpus = end - before
        else:
            memory_bytes = end - before
    for kind, asked in request.devices.items():
        used = use.devices.get(kind, 0)
        most = min(asked, healthy.free.get(kind, 0))
        end = largest_finite_input(function.devices.get(kind, _WITHOUT_CURVE), used, used + most)
        if end is None:
            return None
        devices[kind] = end - used
    try:
        smaller = Request(vcpus, memory_bytes, devices, request.realm, request.needs_drives_pool)
    except UsageError:
        return None
    return smaller if healthy.judge(smaller).feasible else None


def _move(healthy: _Healthy, request: Request) -> VM | None:
    reserved = {reservation.uuid for reservation in healthy.snapshot.reservations}
    active = sorted(healthy.snapshot.active_vms(), key=lambda vm: (vm.memory_bytes, vm.vcpus, vm.name, vm.uuid))
    for vm in active:
        if not vm.devices and vm.uuid not in reserved:  # what is left can be said without looking at all the others
            left = Use(
                healthy.use.vms - 1,
                healthy.use.vcpus - vm.vcpus,
                healthy.use.memory_bytes - vm.memory_bytes,
                healthy.use.devices,
            )
            if healthy.function.total(left + request.use) == INFINITY:
                continue
        if healthy.judge(request, without=vm).feasible:
            return vm
    return None
