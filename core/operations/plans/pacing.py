"""Which moves of a plan may begin now: as a pure function of the fleet, the plan, and what is under way.

A move under way counts on both of its hosts. The plan is made for the fleet as it will be once those under way have
ended; a move of it begins where its target has room already now, its hosts take part in few enough others, and nothing
that comes before it in the plan waits for that room.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from core.config.model import Configuration
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.hardware import PciAddress
from core.placement.engine.ledger import Ledger
from core.placement.plans.drain import Move
from core.reservations import Reservation


def with_under_way(fleet: Fleet, under_way: Iterable[Move]) -> Fleet:
    """Count moves under way on their targets too, also those that have not reserved their room yet."""
    coming: dict[str, list[Move]] = {}
    for move in under_way:
        coming.setdefault(move.target, []).append(move)
    return Fleet(fleet.taken, tuple(_expecting(snapshot, coming.get(snapshot.name, ())) for snapshot in fleet.hosts))


def with_way_back(fleet: Fleet, under_way: Iterable[Move]) -> Fleet:
    """Keep the room of VMs that are shut down on their way where they come from: they may have to start there again."""
    away: dict[str, list[Move]] = {}
    for move in under_way:
        away.setdefault(move.source, []).append(move)
    return Fleet(fleet.taken, tuple(_keeping(snapshot, away.get(snapshot.name, ())) for snapshot in fleet.hosts))


def as_if_ended(fleet: Fleet, under_way: Iterable[Move]) -> Fleet:
    """Return the fleet as it will be once the moves under way have ended as they should."""
    moves = tuple(under_way)
    leaving = {move.vm.key for move in moves}
    hosts = (
        replace(snapshot, vms=tuple(vm for vm in snapshot.vms if vm.key not in leaving))
        if any(host == snapshot.name for host, _ in leaving)
        else snapshot
        for snapshot in fleet.hosts
    )
    return with_under_way(Fleet(fleet.taken, tuple(hosts)), moves)


def held_but(fleet: Fleet, movable: Collection[str]) -> Fleet:
    """Have a plan leave all VMs where they are but those of these UUIDs: what they use is as before."""
    return Fleet(fleet.taken, tuple(_held(snapshot, movable) for snapshot in fleet.hosts))


@dataclass(frozen=True, slots=True)
class NextMoves:
    """The plan of the moment, and those of its moves that begin now, in its order."""

    planned: tuple[Move, ...]
    begun: tuple[Move, ...]


def next_moves(
    configuration: Configuration,
    fleet: Fleet,
    plan: Callable[[Configuration, Fleet], Sequence[Move]],
    *,
    waiting: Collection[str],
    under_way: Sequence[Move],
    parallel: int,
    busy: Mapping[str, int],
) -> NextMoves:
    """Plan anew for the VMs that still wait, as if those under way had ended, and choose what begins now."""
    moving = {move.vm.uuid for move in under_way}
    then = held_but(as_if_ended(fleet, under_way), {uuid for uuid in waiting if uuid not in moving})
    planned = tuple(plan(configuration, then))
    begun = may_begin(configuration, fleet, planned, under_way=under_way, parallel=parallel, busy=busy)
    return NextMoves(planned, begun)


def may_begin(
    configuration: Configuration,
    fleet: Fleet,
    planned: Sequence[Move],
    *,
    under_way: Sequence[Move],
    parallel: int,
    busy: Mapping[str, int],
) -> tuple[Move, ...]:
    """Choose the moves to begin now, in the order of the plan. `busy` counts other programs' moves by host."""
    ledger = Ledger(configuration, with_way_back(with_under_way(fleet, under_way), under_way))
    taking_part = Counter(busy)
    for move in under_way:
        taking_part.update((move.source, move.target))
    met = {move.vm.uuid for move in under_way}
    closed: set[str] = set()
    begun: list[Move] = []
    for move in planned:
        target, is_again = ledger.index.get(move.target), move.vm.uuid in met
        met.add(move.vm.uuid)
        if target is None or move.target in closed:
            continue
        fits = target in ledger.candidates(move.request)
        if is_again or not fits or ledger.place(target, move.request) is None:
            closed.add(move.target)  # what is free there is for this one
            continue
        devices = ledger.take(target, move.request)  # what the plan gives it may be held until another move has ended
        if max(taking_part[move.source], taking_part[move.target]) < parallel:
            taking_part.update((move.source, move.target))
            begun.append(replace(move, devices=devices))
    return tuple(begun)


def _expecting(snapshot: HostSnapshot, moves: Sequence[Move]) -> HostSnapshot:
    reserved = {reservation.uuid for reservation in snapshot.reservations}
    coming = tuple(_room(move.vm, move.target, move.devices) for move in moves if move.vm.uuid not in reserved)
    return replace(snapshot, reservations=(*snapshot.reservations, *coming)) if coming else snapshot


def _keeping(snapshot: HostSnapshot, moves: Sequence[Move]) -> HostSnapshot:
    there = {vm.uuid for vm in snapshot.active_vms()} | {reservation.uuid for reservation in snapshot.reservations}
    kept = tuple(_room(move.vm, move.source, move.vm.devices) for move in moves if move.vm.uuid not in there)
    return replace(snapshot, reservations=(*snapshot.reservations, *kept)) if kept else snapshot


def _held(snapshot: HostSnapshot, movable: Collection[str]) -> HostSnapshot:
    known = {reservation.uuid for reservation in snapshot.reservations}
    staying = tuple(
        _room(vm, snapshot.name, vm.devices)
        for vm in snapshot.active_vms()
        if vm.uuid not in movable and vm.uuid not in known
    )
    return replace(snapshot, reservations=(*snapshot.reservations, *staying)) if staying else snapshot


def _room(vm: VM, host: str, devices: tuple[PciAddress, ...]) -> Reservation:
    # Taken after any snapshot, so that it counts instead of what the host shows of the VM, never beside it.
    return Reservation(
        uuid=vm.uuid, vm=vm.name, host=host, vcpus=vm.vcpus, memory_bytes=vm.memory_bytes, devices=devices,
        taken_at=inf, expires_at=inf,
    )  # fmt: skip
