"""Requests of several sizes, one after another, on arrays: every size's cost on every host is kept at hand.

A placement changes one host, so one entry of each size; the curves' costs are remembered, so that these are sums.
"""

from collections.abc import Iterator, Sequence
from operator import le

import numpy as np
from numpy.typing import NDArray

from core.curves import INFINITY, as_cost
from core.hardware import PciAddress
from core.placement.arrays.packed import PackedFleet
from core.placement.arrays.ranking import Ranking
from core.placement.arrays.vectors import Doubles
from core.placement.engine.ledger import Ledger, Place
from core.placement.engine.request import Request, RequestKey
from core.placement.engine.tariff import CurveTable

_MOST_SIZES = 200
"""Sizes up to which keeping all their costs is quicker than asking all hosts again for each request."""


def each_best_on_arrays(
    ledger: Ledger, requests: Sequence[Request]
) -> Iterator[tuple[Place | None, tuple[PciAddress, ...]]]:
    """Take each request's best host in the ledger, one after another; gives it and the VM's devices."""
    if not requests:
        return
    sizes: dict[RequestKey, int] = {}
    distinct: list[Request] = []
    which: list[int] = []
    for request in requests:
        size = sizes.setdefault(request.key, len(sizes))
        if size == len(distinct):
            distinct.append(request)
        which.append(size)
    if len(distinct) <= _MOST_SIZES:
        board = _Board(ledger, distinct)
        for size in which:
            yield board.take(size)
    else:
        hosts = _EachAnew(ledger)
        for request in requests:
            yield hosts.take(request)


_FAR = 1e307
"""Costs up to which no difference of two is past what a double can hold."""
_MOST_QUEUED = 256
"""Hosts of one cost that are put in order at a time."""
_MOST_STEPS = 1 << 12
"""Amounts whose steps are remembered before all are forgotten."""


class _Board:
    """A row of costs for each size, a column for each host; infinite where the host can't take it.

    Fleets of few kinds of hosts and VMs have many hosts of one cost. A size's least cost is its level; the hosts on it
    stand in a queue, and are still its best ones, in this order, as long as no placement has brought a host's cost down
    to the level or left it there.
    """

    def __init__(self, ledger: Ledger, sizes: Sequence[Request]) -> None:
        packed = PackedFleet(ledger)
        self._ledger = ledger
        self._lines = ledger.hosts
        self._sizes = sizes
        self._rows = np.empty((len(sizes), len(ledger.hosts)))
        for row, request in zip(self._rows, sizes, strict=True):
            row[:] = Ranking.costs(packed, request)
        self._each_row = list(self._rows)
        self._each_column = list(self._rows.T)
        self._cost = packed.cost
        self._vms = packed.vms
        refuses: NDArray[np.bool_] = np.stack([~packed.able(request) for request in sizes], axis=1)
        self._refuses = list(refuses)
        self._refuses_some: list[bool] = [bool(row.any()) for row in refuses]
        self._steps: dict[int, tuple[_Steps, _Steps]] = {
            id(line.tariff): (
                _Steps(line.tariff.vcpus, [request.vcpus for request in sizes]),
                _Steps(line.tariff.memory, [request.memory_bytes for request in sizes]),
            )
            for line in ledger.hosts
            if line.tariff is not None and not line.devices
        }
        """By tariff: what vCPUs and memory of a host would cost with one VM of each size more."""
        self._with_devices = [row for row, request in enumerate(sizes) if request.devices]
        self._levels = [-INFINITY] * len(sizes)
        self._queues: list[Iterator[tuple[int, int]]] = [iter(()) for _ in sizes]
        """By size: hosts with the number of their VMs then; those with another number have changed since."""
        self._anew = [False] * len(sizes)
        """By size: a placement has brought a host down to the level or left it there, so that a queue won't last."""

    def take(self, size: int) -> tuple[Place | None, tuple[PciAddress, ...]]:
        """Take the best host for a size."""
        lines = self._lines
        for host, vms in self._queues[size]:
            if (line := lines[host]).vms == vms:
                break
        else:
            host = self._ask_all(size)
            if host < 0:
                return None, ()
            line = lines[host]
        cost = self._levels[size]
        place = (cost, cost - line.cost, line.vms, host)
        devices = self._ledger.take(host, self._sizes[size], cost)
        self._cost[host] = cost
        self._vms[host] = line.vms
        self._reprice(host)
        return place, devices

    def _ask_all(self, size: int) -> int:
        """Find a size's level, queue the hosts on it and give the first; -1 where no host can take it."""
        row = self._each_row[size]
        if not len(row):
            return -1
        host = int(row.argmin())
        cost = float(row[host]) + 0.0
        if cost == INFINITY:
            return -1
        self._levels[size] = cost
        ties = (row == cost).nonzero()[0]
        if len(ties) == 1:
            return host
        if self._anew[size]:
            self._anew[size] = False
            return _least(ties, cost, self._cost, self._vms)
        vms = self._vms[ties]
        first = np.lexsort((vms, _rises(ties, cost, self._cost)))[:_MOST_QUEUED]  # stable: the index comes last
        hosts: list[int] = ties[first].tolist()
        self._queues[size] = zip(hosts[1:], vms[first[1:]].tolist(), strict=True)
        return hosts[0]

    def _reprice(self, host: int) -> None:
        """Work out what each size would now cost on a host."""
        line = self._ledger.hosts[host]
        tariff = line.tariff
        if tariff is None or line.devices:
            costs = [line.cost_with(request) for request in self._sizes]
        else:
            one, scale, offset = tariff.vms[line.vms + 1], tariff.scale, tariff.offset
            by_vcpus, by_memory = self._steps[id(tariff)]
            terms = zip(by_vcpus[line.vcpus], by_memory[line.memory], strict=True)
            # `Tariff.total` for all sizes.
            if scale == 1.0 and offset == 0.0:
                costs = [one + vcpus + memory for vcpus, memory in terms]
            else:
                costs = [(one + vcpus + memory) * scale + offset for vcpus, memory in terms]
            if not sum(costs) > -INFINITY:  # one of them has overflowed, or is no number
                costs = [as_cost(cost) for cost in costs]
            for row in self._with_devices:  # a host whose profile and function know no devices
                costs[row] = INFINITY
        column = self._each_column[host]
        column[:] = costs
        if self._refuses_some[host]:
            column[self._refuses[host]] = INFINITY
            costs = column.tolist()
        if any(map(le, costs, self._levels)):
            for row, (cost, level) in enumerate(zip(costs, self._levels, strict=True)):
                if cost <= level:
                    self._queues[row], self._anew[row] = iter(()), True


class _Steps(dict[int, "list[float]"]):
    """What a curve costs at some steps above an amount, by that amount."""

    __slots__ = ("steps", "table")

    def __init__(self, table: CurveTable, steps: Sequence[int]) -> None:
        super().__init__()
        self.table = table
        self.steps = steps

    def __missing__(self, amount: int) -> list[float]:
        costs = [self.table[amount + step] for step in self.steps]
        if len(self) >= _MOST_STEPS:
            self.clear()
        self[amount] = costs
        return costs


class _EachAnew:
    """All hosts asked for each request, on arrays that are kept up to date."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._packed = PackedFleet(ledger)

    def take(self, request: Request) -> tuple[Place | None, tuple[PciAddress, ...]]:
        """Take the best host for a request."""
        packed = self._packed
        costs = Ranking.costs(packed, request)
        if not len(costs) or (cost := float(costs.min())) == INFINITY:
            return None, ()
        host = _least((costs == cost).nonzero()[0], cost, packed.cost, packed.vms)
        place = (cost, cost - float(packed.cost[host]), int(packed.vms[host]), host)
        devices = self._ledger.take(host, request, cost)
        packed.refresh(host)
        return place, devices


def _least(ties: NDArray[np.intp], cost: float, before: Doubles, vms: NDArray[np.int64]) -> int:
    """Choose among hosts of one cost: the smaller rise, then fewer VMs, then the smaller index."""
    rise = _rises(ties, cost, before)
    first = rise.argmin()
    same = (rise == rise[first]).nonzero()[0]
    if len(same) == 1:
        return int(ties[first])
    ties = ties[same]
    return int(ties[vms[ties].argmin()])


def _rises(ties: NDArray[np.intp], cost: float, before: Doubles) -> Doubles:
    costs = before[ties]
    if -_FAR < cost < _FAR and costs[costs.argmin()] > -_FAR:
        return cost - costs
    with np.errstate(over="ignore"):  # a rise may be past what a double can hold
        return cost - costs
