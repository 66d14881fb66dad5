"""One request over all hosts at once: their order, their costs and every term, with verdicts made when asked for.

Order and costs are to the last bit those of `engine.rank`, which stays the definition.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.curves import INFINITY
from core.placement.arrays.packed import PackedFleet
from core.placement.arrays.vectors import Doubles
from core.placement.engine.engine import order
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Verdict

_ONE = np.ones((1, 1))


class Ranking:
    """The hosts of a packed fleet in the order in which they would take a VM.

    `hosts` are the indexes of those that can take it, best first. `cost` has the cost with the VM of each host of the
    ledger, infinite where it can't take it or its use is unknown.
    """

    def __init__(self, fleet: PackedFleet, request: Request) -> None:
        self.fleet = fleet
        self.request = request
        self._terms: list[dict[str, Doubles | float]] = []
        self.cost = self.costs(fleet, request, self._terms)
        self.hosts = in_order(self.cost, fleet.cost, fleet.vms)

    @staticmethod
    def costs(fleet: PackedFleet, request: Request, terms: list[dict[str, Doubles | float]] | None = None) -> Doubles:
        """Return the cost with the VM of each host of the ledger, infinite where it can't take it.

        The terms of each group of hosts are added to `terms`.
        """
        costs: Doubles = np.full(len(fleet.ledger.hosts), INFINITY)
        if fleet.is_exact(request):
            with np.errstate(all="ignore"):  # what overflows is infinite, and settled so
                for group in fleet.groups:
                    its_terms, cost = group.terms_with(request, slice(None), _ONE)
                    costs[group.hosts] = cost[:, 0]
                    if terms is not None:
                        terms.append(its_terms)
        else:
            for host, line in enumerate(fleet.ledger.hosts):
                costs[host] = line.cost_with(request)
        able = fleet.able(request)
        if not able.all():
            costs[~able] = INFINITY
        return costs

    def __len__(self) -> int:
        """Return the number of hosts that can take the VM."""
        return len(self.hosts)

    def names(self) -> list[str]:
        """Return the hosts that can take the VM, best first."""
        lines = self.fleet.ledger.hosts
        return [lines[host].name for host in self.hosts]

    def terms(self, host: int) -> dict[str, float]:
        """Return the terms of one host's cost, by its index; none where its use is unknown."""
        for group, terms in zip(self.fleet.groups, self._terms, strict=False):
            row = int(np.searchsorted(group.hosts, host))
            if row < len(group.hosts) and group.hosts[row] == host:
                values = {
                    name: float(np.broadcast_to(cost, (len(group.hosts), 1))[row, 0]) for name, cost in terms.items()
                }
                return {name: value + 0.0 if np.isfinite(value) else INFINITY for name, value in values.items()}
        return {}

    def verdict(self, host: int) -> Verdict:
        """Return all that is to be said of one host, by its index: the plain engine's verdict."""
        return self.fleet.ledger.verdict(host, self.request)

    def best(self) -> Iterator[Verdict]:
        """Return the verdicts of the hosts that can take it, best first, each made when it is its turn."""
        return (self.verdict(int(host)) for host in self.hosts)

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdicts of all hosts as `engine.rank` does."""
        realm, lines = self.request.realm, self.fleet.ledger.hosts
        return order(self.verdict(host) for host, line in enumerate(lines) if realm in (None, line.realm))


def in_order(cost: Doubles, before: Doubles, vms: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the indexes of finite costs: by cost, then by the smaller rise, fewer VMs, the smaller index."""
    able = np.flatnonzero(cost != INFINITY)
    its_cost = cost[able]
    by_cost = np.argsort(its_cost)
    ordered = its_cost[by_cost]
    if not (ordered[1:] == ordered[:-1]).any():
        return able[by_cost]
    with np.errstate(over="ignore"):  # a rise may be past what a double can hold
        rise = its_cost - before[able]
    return able[np.lexsort((vms[able], rise, its_cost))]  # stable: the index comes last
