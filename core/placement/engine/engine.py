"""Placement: the host of lowest cost takes the VM (specification, section 8).

Pure functions of a configuration, a fleet and a request. Hosts are ordered by the cost after placing, then by the
smaller rise, then by fewer VMs, then by name.
"""

import heapq
from collections.abc import Iterable
from dataclasses import replace

from core.config.model import Configuration
from core.curves import INFINITY
from core.errors import UsageError
from core.fleet.fleet import VM, Fleet, HostSnapshot, VMKey
from core.placement.engine.request import Request
from core.placement.engine.room import HostLedger
from core.placement.engine.series import Series
from core.placement.engine.verdicts import Placement, Placements, Verdict

_Rank = tuple[float, float, int, str]
"""Order of hosts that can take a VM: cost after, rise, VMs before, name."""


def judge(configuration: Configuration, fleet: Fleet, request: Request, snapshot: HostSnapshot) -> Verdict:
    """Return what a host of the fleet would cost with the VM on it, or every reason why it can't take it."""
    return HostLedger(configuration, snapshot, fleet.taken).verdict(request)


def rank(configuration: Configuration, fleet: Fleet, request: Request) -> tuple[Verdict, ...]:
    """Judge every host of the request's realm (of all realms without one): best first, then the refused by name."""
    return order(room.verdict(request) for room in rooms(configuration, fleet, request.realm))


def rooms(configuration: Configuration, fleet: Fleet, realm: str | None = None) -> list[HostLedger]:
    """Open the ledger of every host of a realm, or of all realms."""
    return [
        HostLedger(configuration, snapshot, fleet.taken)
        for snapshot in fleet.hosts
        if realm is None or snapshot.host.realm == realm
    ]


def order(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Put verdicts in order: those that can take the VM, best first, then the refused by host name."""
    return tuple(sorted(verdicts, key=_place_in_order))


def _place_in_order(verdict: Verdict) -> tuple[bool, _Rank]:
    if verdict.refusal is not None or verdict.cost is None or verdict.before is None or verdict.use is None:
        return (True, (0.0, 0.0, 0, verdict.host))
    return (False, _rank(verdict.before.total, verdict.cost.total, verdict.use.vms, verdict.host))


def _rank(before: float, after: float, vms: int, host: str) -> _Rank:
    return (after, after - before, vms, host)


def place(
    configuration: Configuration, fleet: Fleet, request: Request, count: int = 1, *, numbered_from: int = 1
) -> Placements:
    """Place `count` equal VMs one after another, each counting as use for the next.

    Equal to that many single placements with the fleet updated by `put` in between; only the host that took a VM is
    judged again. Raises UsageError for a count below 1.
    """
    if count < 1:
        raise UsageError(f"count must be at least 1, not {count}")
    opened = rooms(configuration, fleet, request.realm)
    first = [room.verdict(request) for room in opened]
    queue: list[tuple[_Rank, int]] = []
    takers: dict[int, Series] = {}
    for index, (room, verdict) in enumerate(zip(opened, first, strict=True)):
        refused, position = _place_in_order(verdict)
        if not refused:
            queue.append((position, index))
            takers[index] = Series(room, request)
    heapq.heapify(queue)
    placements: list[Placement] = []
    while queue and len(placements) < count:
        (cost, _, vms, host), index = queue[0]
        series = takers[index]
        devices = series.take()
        number = numbered_from + len(placements)
        placements.append(Placement(number, host, series.room.realm, cost, devices, request))
        after = series.next_cost()
        if after == INFINITY:
            heapq.heappop(queue)
        else:
            heapq.heapreplace(queue, (_rank(cost, after, vms + 1, host), index))
    stopped_by: tuple[Verdict, ...] = ()
    if len(placements) < count:
        for series in takers.values():
            series.settle()
        stopped_by = order(room.verdict(request) for room in opened)
    return Placements(
        request=request, count=count, placements=tuple(placements), verdicts=order(first), stopped_by=stopped_by
    )


def put(fleet: Fleet, placement: Placement) -> Fleet:
    """Return the fleet with the placed VM running on its host; raises ValueError for a host that is not there."""
    return with_vm(fleet, placement.as_vm())


def remove(fleet: Fleet, placement: Placement) -> Fleet:
    """Undo `put`."""
    return without_vm(fleet, placement.as_vm().key)


def with_vm(fleet: Fleet, vm: VM) -> Fleet:
    """Return the fleet with one VM more; raises ValueError where its host is not there or has it already."""
    index = _index(fleet, vm.host)
    snapshot = fleet.hosts[index]
    if any(other.uuid == vm.uuid for other in snapshot.vms):
        message = f"{vm.host} already has a VM with UUID {vm.uuid}"
        raise ValueError(message)
    return _with_host(fleet, index, replace(snapshot, vms=(*snapshot.vms, vm)))


def without_vm(fleet: Fleet, key: VMKey) -> Fleet:
    """Return the fleet without one VM; raises ValueError where it is not there."""
    host, uuid = key
    index = _index(fleet, host)
    snapshot = fleet.hosts[index]
    left = tuple(vm for vm in snapshot.vms if vm.uuid != uuid)
    if len(left) == len(snapshot.vms):
        message = f"{host} has no VM with UUID {uuid}"
        raise ValueError(message)
    return _with_host(fleet, index, replace(snapshot, vms=left))


def _index(fleet: Fleet, host: str) -> int:
    for index, snapshot in enumerate(fleet.hosts):
        if snapshot.name == host:
            return index
    message = f"no host {host} in the fleet"
    raise ValueError(message)


def _with_host(fleet: Fleet, index: int, snapshot: HostSnapshot) -> Fleet:
    return replace(fleet, hosts=(*fleet.hosts[:index], snapshot, *fleet.hosts[index + 1 :]))
