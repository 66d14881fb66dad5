"""Requests of several sizes, one after another, on arrays: every size's cost on every host is kept at hand.

A placement changes one host, so one entry of each size; the curves' costs are remembered, so that these are sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.curves import INFINITY, settle
from core.placement.packed import PackedFleet
from core.placement.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from core.hardware import PciAddress
    from core.placement.ledger import Ledger, Place
    from core.placement.request import Request, RequestKey
    from core.placement.vectors import Doubles

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


class _Board:
    """A row of costs for each size, a column for each host; infinite where the host can't take it."""

    def __init__(self, ledger: Ledger, sizes: Sequence[Request]) -> None:
        packed = PackedFleet(ledger)
        self._ledger = ledger
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
        self._vcpus = sorted({request.vcpus for request in sizes})
        self._memory = sorted({request.memory_bytes for request in sizes})
        self._places = [
            (self._vcpus.index(request.vcpus), self._memory.index(request.memory_bytes)) for request in sizes
        ]
        self._with_devices = [row for row, request in enumerate(sizes) if request.devices]

    def take(self, size: int) -> tuple[Place | None, tuple[PciAddress, ...]]:
        """Take the best host for a size."""
        row = self._each_row[size]
        if not len(row):
            return None, ()
        host = int(row.argmin())
        cost = float(row[host]) + 0.0
        if cost == INFINITY:
            return None, ()
        ties = (row == cost).nonzero()[0]
        if len(ties) > 1:
            host = _least(ties, cost, self._cost, self._vms)
        place = (cost, cost - float(self._cost[host]), int(self._vms[host]), host)
        devices = self._ledger.take(host, self._sizes[size], cost)
        self._cost[host] = cost
        self._vms[host] += 1
        self._reprice(host)
        return place, devices

    def _reprice(self, host: int) -> None:
        """Work out what each size would now cost on a host."""
        line = self._ledger.hosts[host]
        tariff = line.tariff
        if tariff is None or line.devices:
            costs = [line.cost_with(request) for request in self._sizes]
        else:
            one, scale, offset = tariff.vms[line.vms + 1], tariff.scale, tariff.offset
            vcpus = [one + tariff.vcpus[line.vcpus + more] for more in self._vcpus]
            memory = [tariff.memory[line.memory + more] for more in self._memory]
            # `Tariff.total` for all sizes.
            if scale == 1.0 and offset == 0.0:
                costs = [vcpus[v] + memory[m] for v, m in self._places]
            else:
                costs = [(vcpus[v] + memory[m]) * scale + offset for v, m in self._places]
            if not sum(costs) > -INFINITY:  # one of them has overflowed, or is no number
                costs = [settle(cost) for cost in costs]
            for row in self._with_devices:  # a host whose profile and function know no devices
                costs[row] = INFINITY
        column = self._each_column[host]
        column[:] = costs
        if self._refuses_some[host]:
            column[self._refuses[host]] = INFINITY


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
    if len(ties) > 1:
        with np.errstate(over="ignore"):  # a rise may be past what a double can hold
            rise = cost - before[ties]
        ties = ties[rise == rise.min()]
        if len(ties) > 1:
            return int(ties[vms[ties].argmin()])
    return int(ties[0])
