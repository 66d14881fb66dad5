"""A batch of different requests, placed one after another, each counting as use for the next.

Small fleets are asked host by host; large ones by arrays that keep every size's cost on every host, of which a
placement changes one column. Both decide as `engine.place` would, to the last bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.config.model import Configuration
from core.curves import as_cost
from core.fleet.fleet import Fleet
from core.hardware import PciAddress
from core.placement.engine.ledger import Ledger, Place
from core.placement.engine.request import Request, RequestKey
from core.placement.engine.verdicts import Placement
from core.placement.plans.demand import no_place

_ARRAYS_FROM = 1_000_000
"""Questions to hosts (hosts times requests) from which loading NumPy pays."""


class BatchOrder(StrEnum):
    """In which order requests are placed."""

    ARRIVAL = "arrival"
    LARGEST_FIRST = "largest-first"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request of a batch that no host could take by then; `number` counts from 1 in the order of arrival."""

    number: int
    request: Request
    why: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """Where the requests of a batch go, in the order in which they were placed; numbers are those of their arrival.

    `highest` and `sum` are of the hosts' costs afterwards, `hosts_used` counts those that took any.
    """

    order: BatchOrder
    placements: tuple[Placement, ...]
    refused: tuple[Refused, ...]
    highest: float
    sum: float

    @property
    def placed(self) -> int:
        """Number of VMs that found a host."""
        return len(self.placements)

    @property
    def hosts_used(self) -> int:
        """Number of hosts that took any."""
        return len({placement.host for placement in self.placements})


@dataclass(frozen=True, slots=True)
class BatchComparison:
    """The same batch in order of arrival, and the largest first (memory, then vCPUs)."""

    arrival: BatchPlan
    largest_first: BatchPlan

    @property
    def more_placed(self) -> int:
        """How many more VMs find a host when the largest go first; negative where they are fewer."""
        return self.largest_first.placed - self.arrival.placed

    @property
    def moved(self) -> tuple[int, ...]:
        """Numbers of the requests that end elsewhere, or only in one of the two orders."""
        there = {placement.vm: placement.host for placement in self.arrival.placements}
        other = {placement.vm: placement.host for placement in self.largest_first.placements}
        return tuple(sorted(vm for vm in {*there, *other} if there.get(vm) != other.get(vm)))


def place_batch(
    configuration: Configuration,
    fleet: Fleet,
    requests: Sequence[Request],
    order: BatchOrder = BatchOrder.ARRIVAL,
    *,
    ledger: Ledger | None = None,
) -> BatchPlan:
    """Place different requests one after another. A ledger of the same fleet is given back as it was."""
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    numbered = list(enumerate(requests, 1))
    if order is BatchOrder.LARGEST_FIRST:
        numbered.sort(key=lambda pair: (-pair[1].memory_bytes, -pair[1].vcpus, pair[0]))
    placements: list[Placement] = []
    refused: list[Refused] = []
    reasons: dict[RequestKey, tuple[str, str]] = {}
    for (number, request), (place, devices) in zip(
        numbered, each_best(ledger, [request for _, request in numbered]), strict=True
    ):
        if place is None:
            key = request.key
            if key not in reasons:  # told once for each size: a batch that is far too large would only repeat it
                reasons[key] = no_place(ledger, request, ())
            refused.append(Refused(number, request, *reasons[key]))
            continue
        line = ledger.hosts[place[3]]
        placements.append(Placement(number, line.name, line.realm, place[0], devices, request))
    costs = [line.cost for line in ledger.hosts if line.tariff is not None]
    for placement in reversed(placements):
        ledger.undo(ledger.index[placement.host])
    return BatchPlan(
        order=order,
        placements=tuple(placements),
        refused=tuple(refused),
        highest=max(costs, default=0.0),
        sum=as_cost(sum(costs)),
    )


def compare_orders(configuration: Configuration, fleet: Fleet, requests: Sequence[Request]) -> BatchComparison:
    """Place a batch in both orders."""
    ledger = Ledger(configuration, fleet)
    return BatchComparison(
        place_batch(configuration, fleet, requests, BatchOrder.ARRIVAL, ledger=ledger),
        place_batch(configuration, fleet, requests, BatchOrder.LARGEST_FIRST, ledger=ledger),
    )


def each_best(ledger: Ledger, requests: Sequence[Request]) -> Iterator[tuple[Place | None, tuple[PciAddress, ...]]]:
    """Take each request's best host in the ledger, one after another; gives it and the VM's devices."""
    if len(ledger.hosts) * len(requests) >= _ARRAYS_FROM:
        from core.placement.arrays.mixture import each_best_on_arrays

        yield from each_best_on_arrays(ledger, requests)
        return
    for request in requests:
        best = ledger.best(request)
        yield best, ledger.take(best[3], request, best[0]) if best is not None else ()
