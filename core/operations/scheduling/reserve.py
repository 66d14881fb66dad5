"""Room taken on a host: placed and reserved in one breath, under the registry's lock (specification, section 8).

Two programs that place at once never give the same room twice: whoever has the lock sees the reservations of all
others, and reserves before it releases the lock. What is reserved is renewed while this process works, and runs out
if it dies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.clock import Clock
from core.codes import ErrorCode
from core.errors import RealmsError, ReservationRefused
from core.fleet.fleet import Fleet, HostSnapshot
from core.guard import guarded
from core.hardware import PciAddress
from core.hosts import HostState
from core.operations.scheduling.log_writer import SchedulingDecision, log_decision
from core.operations.session import Session
from core.placement.engine import engine
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placement, Placements
from core.registry.hosts import HostRegistry
from core.registry.reservations import LIFETIME
from core.registry.transactions import Transaction
from core.reservations import Reservation
from core.workers import this_worker

RENEWALS = 4
"""Times that a reservation is renewed within its lifetime: one that fails is no loss."""


class NoRoom(RealmsError):
    """No host can take the VM, or the one that was asked for can't; `placements` tells why of each."""

    code = ErrorCode.NO_ROOM

    def __init__(self, message: str, placements: Placements, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.placements = placements


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRequest:
    """Room that is wanted for a VM."""

    operation: str
    """What the room is for: create, start, migrate, restore."""
    uuid: str
    vm: str
    request: Request
    owner: str
    """Who works for it: the owner of the operation's journal entry."""
    host: str | None = None
    """The only host that will do; it is still judged."""
    is_there: bool = False
    """Whether the VM is that host's already: No Scheduling is no reason against it then."""
    fixed_devices: tuple[PciAddress, ...] | None = None
    """The very devices that it needs; None where any of the requested types will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Room that was taken: where, with which devices, and why there."""

    placement: Placement
    placements: Placements
    promise: HeldReservation
    warning: str = ""
    """What went wrong on the side, for the administrator to know; the room is taken nevertheless."""


def reserve_host(
    session: Session, claim: ReservationRequest, check: Callable[[Fleet, Transaction], None] | None = None
) -> Reserved:
    """Place a VM by the newest snapshots and all reservations, and reserve what it was given.

    `check` is asked under the lock too, and may raise. Raises NoRoom, ReservationRefused, RegistryBusy, ReadOnly. The
    decision is logged where the realm wants it, the refusal too; that it can't be is only a warning.
    """
    registry = session.require_writable()
    watch = session.connect()

    def reserve(changes: Transaction) -> tuple[Fleet, Placements, Reservation | None]:
        own_host = claim.host if claim.is_there else None
        fleet = fleet_under_lock(watch.snapshots(), changes, claim.uuid, own_host=own_host)
        if check is not None:
            check(fleet, changes)
        placements = _place(session, fleet, claim)
        if not placements.placements:
            return fleet, placements, None
        placement = placements.placements[0]
        wanted = Reservation(
            uuid=claim.uuid,
            vm=claim.vm,
            host=placement.host,
            vcpus=claim.request.vcpus,
            memory_bytes=claim.request.memory_bytes,
            devices=placement.devices,
            owner=claim.owner,
            worker=this_worker(),
        )
        return fleet, placements, changes.reserve(wanted)

    fleet, placements, reservation = registry.change(reserve)
    promise = HeldReservation(registry, reservation, session.clock) if reservation is not None else None
    warning = _log(session, fleet, placements, claim)
    if promise is None:
        hint = "realms place --explain shows all numbers"
        raise NoRoom(_why_none(claim, placements), placements, hint=f"{hint}; {warning}" if warning else hint)
    return Reserved(placement=placements.placements[0], placements=placements, promise=promise, warning=warning)


def fleet_under_lock(
    snapshots: Sequence[HostSnapshot], changes: Transaction, uuid: str, *, own_host: str | None = None
) -> Fleet:
    """Put the snapshots together with hosts and reservations as they are while nobody else can change them.

    What the VM of this UUID has reserved itself is in nobody's way, itself included; No Scheduling is no reason against
    the host that it is on already.
    """
    hosts = {host.name: host for host in changes.hosts}
    current = []
    for snapshot in snapshots:
        host = hosts.get(snapshot.name)
        if host is None or host.uri != snapshot.host.uri:
            continue  # removed, or another machine by now
        if host.name == own_host and host.state is HostState.NO_SCHEDULING:
            host = replace(host, state=HostState.ENABLED)
        held = tuple(each for each in changes.reservations if each.host == host.name and each.uuid != uuid)
        current.append(replace(snapshot, host=host, reservations=held))
    return Fleet(changes.now, tuple(current))


def _place(session: Session, fleet: Fleet, claim: ReservationRequest) -> Placements:
    placements = engine.place(session.configuration, fleet, claim.request)
    if claim.host is None:
        return placements
    chosen = tuple(snapshot for snapshot in fleet.hosts if snapshot.name == claim.host)
    there = engine.place(session.configuration, Fleet(fleet.taken, chosen), claim.request)
    taken = there.placements
    if taken and claim.fixed_devices is not None:
        for address in claim.fixed_devices:
            if address in chosen[0].addresses_in_use():
                holder = next((vm.name for vm in chosen[0].active_vms() if address in vm.devices), "another VM")
                message = f"{claim.host}: {claim.vm} needs {address}, which {holder} has"
                raise NoRoom(message, replace(placements, placements=()), hint="turn it off first")
        taken = (replace(taken[0], devices=claim.fixed_devices),)
    return replace(placements, placements=taken, stopped_by=() if taken else there.stopped_by)


def _log(session: Session, fleet: Fleet, placements: Placements, claim: ReservationRequest) -> str:
    realm = session.configuration.realms.get(claim.request.realm or "")
    if realm is None or not realm.log_scheduling or session.registry is None:
        return ""
    decision = SchedulingDecision(
        session.configuration,
        fleet,
        placements,
        operation=claim.operation,
        vm=claim.vm,
        uuid=claim.uuid,
        forced_host=claim.host,
        fixed_devices=claim.fixed_devices,
    )
    return log_decision(session.registry.path, decision)


def _why_none(claim: ReservationRequest, placements: Placements) -> str:
    refused = [verdict for verdict in placements.verdicts if verdict.refusal and claim.host in (None, verdict.host)]
    shown = "; ".join(f"{verdict.host}: {verdict.refusal}" for verdict in refused[:5])
    more = f"; and {len(refused) - 5} more hosts" if len(refused) > 5 else ""
    if not refused:
        return f"no host to place {claim.vm} on"
    who = "no host can" if claim.host is None else f"{claim.host} can't"
    return f"{who} take {claim.vm}: {shown}{more}"


class HeldReservation:
    """A reservation of this process, renewed by a daemon thread until it is settled or released."""

    def __init__(self, registry: HostRegistry, reservation: Reservation, clock: Clock) -> None:
        self.reservation = reservation
        self._registry = registry
        self._clock = clock
        self._ended = threading.Event()
        self._lost = ""
        self._thread = threading.Thread(target=self._renew, name=f"reservation {reservation.vm}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise ReservationRefused where the reservation has run out, as when this process was stopped for long."""
        if self._lost:
            raise ReservationRefused(self._lost, hint="its reservation may be lost: try again")
        # A process that was stopped has not heard of it yet: the registry knows.
        self._registry.renew(self.reservation.uuid, self.reservation.owner, self._clock.now() + LIFETIME)

    def release_later(self, seconds: float) -> None:
        """Let it go: the VM is seen running. It still counts for so many seconds for those that looked before.

        Never raises: a VM that runs is not to be undone for a busy registry, which is tried again in the background.
        """
        self._end(lambda uuid, owner: self._registry.release_later(uuid, owner, self._clock.now() + seconds))

    def release(self) -> None:
        """Give the room back.

        Never raises: what was done is no failure for a busy registry, which is tried again in the background.
        """
        self._end(self._registry.release)

    def _end(self, give_back: Callable[[str, str], object]) -> None:
        """Give the reservation back, now or as soon as the registry can be written: it lasts while this process does.

        Where the process ends first, it runs out by itself.
        """
        self._ended.set()

        def attempt() -> bool:
            try:
                give_back(self.reservation.uuid, self.reservation.owner)
            except RealmsError:
                return False
            return True

        def attempts() -> None:
            waiting = threading.Event()
            while not attempt():
                waiting.wait(LIFETIME / RENEWALS)

        if not attempt():
            name = f"release of {self.reservation.vm}"
            threading.Thread(target=attempts, name=name, daemon=True).start()

    def _renew(self) -> None:
        while not self._ended.wait(LIFETIME / RENEWALS):
            with guarded(f"reservation of {self.reservation.vm}"):
                try:
                    self._registry.renew(self.reservation.uuid, self.reservation.owner, self._clock.now() + LIFETIME)
                except ReservationRefused as error:
                    if not self._ended.is_set():
                        self._lost = error.message
                    return
                except RealmsError:  # the lock was busy, or the file unreadable: there is time for more attempts
                    continue
