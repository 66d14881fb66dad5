"""Many equal VMs at once: where each of them goes, one after another, without placing them one after another.

Each host has a series of costs for the VMs that it would take next. Always taking the host whose next VM ranks best
merges these series; that is the order in which all their VMs rank, if each counts as no better than those before it on
its host (the running maximum of its series). This holds for curves of any shape, falling ones too.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.curves import INFINITY
from core.placement.arrays.packed import HostGroup, PackedFleet
from core.placement.arrays.vectors import Doubles
from core.placement.engine.ledger import HostQueue
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placement

_MOST_AT_FIRST = 256
"""VMs worked out for each host before it is known how many it takes; twice as many each time that more are needed."""


class Stream:
    """Where `count` equal VMs go: `hosts` are indexes in the ledger and `costs` those of the hosts afterwards.

    Shorter than `count` where no host takes more. To the last bit what `engine.place` decides.
    """

    def __init__(self, fleet: PackedFleet, request: Request, count: int) -> None:
        self.fleet = fleet
        self.request = request
        self.count = count
        try:
            with np.errstate(all="ignore"):  # what overflows is infinite, and settled so
                self.hosts, self.costs = _Merge(fleet, request, count).merged()
        except _PastDoubles:
            self.hosts, self.costs = _one_by_one(fleet, request, count)

    def __len__(self) -> int:
        """Return the number of VMs that find a place."""
        return len(self.hosts)

    @property
    def complete(self) -> bool:
        """Whether all of them do."""
        return len(self.hosts) == self.count

    def by_host(self) -> dict[str, int]:
        """Count the VMs on each host that takes any, by name."""
        counts = np.bincount(self.hosts, minlength=len(self.fleet.ledger.hosts))
        return {line.name: int(count) for line, count in zip(self.fleet.ledger.hosts, counts, strict=True) if count}

    @cached_property
    def placements(self) -> tuple[Placement, ...]:
        """Each VM's place, with its devices, numbered from 1."""
        lines, request = self.fleet.ledger.hosts, self.request
        free = {
            int(host): [(count, lines[host].free(kind)) for kind, count in request.devices.items()]
            for host in (np.unique(self.hosts) if request.devices else ())
        }
        taken = dict.fromkeys(free, 0)
        placements = []
        for number, (host, cost) in enumerate(zip(self.hosts.tolist(), self.costs.tolist(), strict=True), 1):
            devices: tuple[object, ...] = ()
            if free:
                first = taken[host]
                taken[host] = first + 1
                devices = tuple(
                    address for count, its in free[host] for address in its[first * count : (first + 1) * count]
                )
            line = lines[host]
            placements.append(Placement(number, line.name, line.realm, cost, devices, request))  # type: ignore[arg-type]
        return tuple(placements)

    def settle(self) -> None:
        """Count the VMs in the ledger; what was packed of it is out of date then."""
        for host in self.hosts.tolist():
            self.fleet.ledger.take(host, self.request)


def _one_by_one(fleet: PackedFleet, request: Request, count: int) -> tuple[NDArray[np.intp], Doubles]:
    """Decide on whole numbers of any size; the ledger is as before afterwards."""
    queue = HostQueue(fleet.ledger, request)
    hosts: list[int] = []
    costs: list[float] = []
    while len(hosts) < count and (best := queue.best()) is not None:
        hosts.append(best[3])
        costs.append(best[0])
        queue.take()
    for host in reversed(hosts):
        fleet.ledger.undo(host)
    return np.array(hosts, dtype=np.intp), np.array(costs)


class _PastDoubles(Exception):
    """The use of a host would pass the whole numbers that doubles hold without loss."""


class _Merge:
    """The VMs that hosts would take next, worked out as far as needed: one entry for each, in blocks."""

    def __init__(self, fleet: PackedFleet, request: Request, count: int) -> None:
        self._fleet = fleet
        self._request = request
        self._count = count
        hosts = len(fleet.ledger.hosts)
        self._worked_out = np.zeros(hosts, dtype=np.int64)
        """Number of VMs on each host whose costs are worked out."""
        self._open = fleet.able(request).copy()
        """Hosts that may take more than was worked out."""
        self._last = fleet.cost.copy()
        """Cost of each host with the last of them."""
        self._blocks: list[tuple[NDArray[np.intp], NDArray[np.int64], Doubles, Doubles]] = []
        """Host, number of the VM on it (from 0), cost and rise of entries."""
        for group in fleet.groups:
            self._open[group.hosts] &= np.array([kind in group.tariff.kinds for kind in request.devices]).all()

    def merged(self) -> tuple[NDArray[np.intp], Doubles]:
        """Return hosts and costs of the VMs in their order."""
        count = self._count
        width = max(1, min(count, _MOST_AT_FIRST, 2 + 3 * count // (2 * max(1, int(self._open.sum())))))
        self._work_out(self._open.copy(), width)
        while True:
            host, number, cost, rise = (np.concatenate(parts) for parts in zip(*self._blocks, strict=True))
            chosen = _greedy(host, self._fleet.vms[host] + number, cost, rise)[:count]
            # A host all of whose entries are among the first may have more that belong there.
            used = np.bincount(host[chosen], minlength=len(self._open))
            short = self._open & (used == self._worked_out)
            if len(chosen) == count:
                short[host[chosen[-1]]] = False  # what follows the last one comes too late
            if not short.any():
                return host[chosen], cost[chosen]
            width *= 2
            self._work_out(short, width)

    def _work_out(self, wanted: NDArray[np.bool_], width: int) -> None:
        """Work out so many VMs more on some of the hosts."""
        for group in self._fleet.groups:
            rows = np.flatnonzero(wanted[group.hosts])
            if len(rows):
                self._work_out_group(group, rows, width)
        if not self._blocks:
            nothing = np.zeros(0)
            self._blocks.append((nothing.astype(np.intp), nothing.astype(np.int64), nothing, nothing))

    def _work_out_group(self, group: HostGroup, rows: NDArray[np.intp], width: int) -> None:
        hosts = group.hosts[rows]
        number = self._worked_out[hosts][:, None] + np.arange(width)
        if not self._fleet.is_exact(self._request, int(number.max()) + 1):
            raise _PastDoubles
        _, cost = group.terms_with(self._request, rows, (number + 1).astype(np.float64))
        before = np.concatenate((self._last[hosts][:, None], cost[:, :-1]), axis=1)
        finite = cost != INFINITY
        if finite.all():
            kept = None
        else:
            kept = np.logical_and.accumulate(finite, axis=1)
            self._open[hosts] &= kept[:, -1]
        self._last[hosts] = cost[:, -1]
        host = np.repeat(hosts, width).reshape(cost.shape)
        entries = (host, number, cost, cost - before)
        if kept is None:
            self._worked_out[hosts] += width
            self._blocks.append(tuple(part.ravel() for part in entries))  # type: ignore[arg-type]
        else:
            self._worked_out[hosts] += kept.sum(axis=1)
            self._blocks.append(tuple(part[kept] for part in entries))  # type: ignore[arg-type]


def _greedy(host: NDArray[np.intp], vms: NDArray[np.int64], cost: Doubles, rise: Doubles) -> NDArray[np.intp]:
    """Put entries in the order in which taking always the best next one takes them."""
    by_rank = np.lexsort((host, vms, rise, cost))
    rank = np.empty(len(host), dtype=np.int64)
    rank[by_rank] = np.arange(len(host))
    along = np.argsort(host, kind="stable")  # blocks stand in the order of the VMs on each host
    rank_along, host_along = rank[along], host[along]
    same_host = host_along[1:] == host_along[:-1]
    if not (same_host & (rank_along[1:] < rank_along[:-1])).any():
        return by_rank
    # The running maximum within each host: an offset per host keeps it from running into the next.
    offset = np.concatenate(([0], np.cumsum(~same_host))) * len(host)
    running = np.maximum.accumulate(rank_along + offset) - offset
    return along[np.argsort(running, kind="stable")]
