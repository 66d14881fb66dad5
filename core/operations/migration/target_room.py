"""Room on the target of a migration: judged by placement, and reserved under the registry's lock (section 8)."""

from collections import Counter
from dataclasses import dataclass, replace

from core.codes import ErrorCode, Why
from core.config.model import Configuration
from core.curves import INFINITY
from core.errors import RealmsError
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.hardware import PciAddress
from core.operations.scheduling.log_writer import SchedulingDecision, log_decision
from core.operations.scheduling.reserve import HeldReservation, fleet_under_lock
from core.operations.session import Session
from core.operations.tasks.journal import Operation
from core.placement.engine.engine import order, rooms
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placement, Placements, Verdict
from core.registry.transactions import Transaction
from core.reservations import Reservation
from core.workers import this_worker

CAN_NOT_BE_FORCED = frozenset({
    Why.UNKNOWN_REALM, Why.REALM_DISABLED, Why.HOST_DISABLED, Why.NOT_CONNECTED, Why.NO_FREE_DEVICE,
})  # fmt: skip
"""Refusals that no option goes past: nothing connects there, or there is nothing to give."""


class NoTarget(RealmsError):
    """No other host can take the VM; `verdicts` say why of each."""

    code = ErrorCode.NO_TARGET

    def __init__(self, message: str, verdicts: tuple[Verdict, ...] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.verdicts = verdicts


@dataclass(frozen=True, slots=True)
class Demand:
    """What a VM asks of the host that it moves to. `strangers` are devices that its host's profile doesn't list."""

    request: Request
    strangers: tuple[PciAddress, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRoom:
    """Room that was taken on the target for a VM on its way; `stale_after`: seconds until all have looked again."""

    promise: HeldReservation
    devices: tuple[PciAddress, ...]
    stale_after: float
    warning: str = ""
    """What went wrong on the side, for the administrator to know; the room is taken nevertheless."""
    kept_when_off: float = 0.0
    """Seconds for which it stays reserved for a VM that has arrived off, until someone starts it."""


def demand_of(configuration: Configuration, snapshot: HostSnapshot, vm: VM) -> Demand:
    """Return what a VM asks of another host of its realm: its maxima, and its devices by type."""
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    types = {address: None if profile is None else profile.type_of(address) for address in vm.devices}
    counts = Counter(kind for kind in types.values() if kind is not None)
    return Demand(
        Request(vm.vcpus, vm.memory_bytes, counts, snapshot.host.realm),
        tuple(address for address, kind in types.items() if kind is None),
    )


def rank_targets(configuration: Configuration, fleet: Fleet, request: Request, source: str) -> tuple[Verdict, ...]:
    """Judge every other host of the realm: best first, then the refused by name."""
    opened = rooms(configuration, fleet, request.realm)
    return order(room.verdict(request) for room in opened if room.host != source)


def can_be_forced(verdict: Verdict) -> bool:
    """Return whether an administrator may send a VM to a host that refuses it."""
    return all(reason.why not in CAN_NOT_BE_FORCED for reason in verdict.reasons)


def take_target(session: Session, vm: VM, demand: Demand, target: str, owner: str, *, force: bool) -> TargetRoom:
    """Take room on the target under the registry's lock, judged again by the hosts and reservations of that moment.

    Raises NoTarget, ReservationRefused, RegistryBusy, ReadOnly. The decision is logged where the realm wants it;
    that it can't be is only a warning.
    """
    registry = session.require_writable()
    snapshots = session.connect().snapshots()

    def take(changes: Transaction) -> tuple[Fleet, tuple[Verdict, ...], Verdict, Reservation | None]:
        fleet = fleet_under_lock(snapshots, changes, vm.uuid)
        verdicts = rank_targets(session.configuration, fleet, demand.request, vm.host)
        verdict = next((each for each in verdicts if each.host == target), None)
        if verdict is None:
            raise NoTarget(f"{target} is no longer another host of the realm", verdicts)
        if verdict.refusal is not None and not (force and can_be_forced(verdict)):
            return fleet, verdicts, verdict, None
        wanted = Reservation(
            uuid=vm.uuid,
            vm=vm.name,
            host=target,
            vcpus=vm.vcpus,
            memory_bytes=vm.memory_bytes,
            devices=verdict.devices,
            owner=owner,
            worker=this_worker(),
        )
        return fleet, verdicts, verdict, changes.reserve(wanted)

    fleet, verdicts, verdict, taken = registry.change(take)
    promise = HeldReservation(registry, taken, session.clock) if taken is not None else None
    placements = Placements(request=demand.request, count=1, placements=(), verdicts=verdicts)
    if taken is not None:
        cost = verdict.cost.total if verdict.cost is not None else INFINITY
        there = Placement(1, target, verdict.realm, cost, verdict.devices, demand.request)
        placements = replace(placements, placements=(there,))
    warning = _log(session, fleet, vm, verdict, placements)
    if taken is None or promise is None:
        raise NoTarget(f"{target} cannot take {vm.name}: {verdict.refusal}", verdicts, hint=warning)
    stale_after = session.configuration.realms[verdict.realm].stale_after
    return TargetRoom(promise=promise, devices=taken.devices, stale_after=stale_after, warning=warning)


def _log(session: Session, fleet: Fleet, vm: VM, target: Verdict, placements: Placements) -> str:
    realm = session.configuration.realms.get(target.realm)
    if realm is None or not realm.log_scheduling:
        return ""
    is_best = target.feasible and placements.verdicts[0] == target
    decision = SchedulingDecision(
        session.configuration,
        fleet,
        placements,
        operation=Operation.MIGRATE,
        vm=vm.name,
        uuid=vm.uuid,
        forced_host=None if is_best else target.host,
        despite_refusal=bool(placements.placements) and not target.feasible,
    )
    return log_decision(session.require_writable().path, decision)
