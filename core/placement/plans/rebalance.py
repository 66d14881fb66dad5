"""The plan that evens out a fleet: VMs that would have a cheaper host move there, best gain first (section 11).

The rule of placement is asked again for each VM as if it were new: a host that would be cheaper with the VM than its
own is now takes it. A move also has to make its own host cheaper, so that the higher of the two costs goes down: the
costs of the hosts, from the highest down, fall with every move, and the plan has an end. The gain of a move is what it
takes from the sum of the squares of the costs: how far it evens out its two hosts. Taking the best first doesn't always
end after the fewest moves, so the squares of the hosts' memory in use are tried as gains too, for the case that these
end sooner and leave the costs as even.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.config.model import Configuration
from core.curves import INFINITY, as_cost
from core.fleet.fleet import VM, Fleet
from core.placement.engine.ledger import HostLine, Ledger, Place
from core.placement.engine.request import Request
from core.placement.plans.demand import DEFAULT_POLICY, Movables, MovePolicy, Stuck, largest_first, request_of
from core.placement.plans.drain import Move

_MOST_REPEATED = 250
"""Moves of a plan up to which other gains are tried: the fewer there are, the more one of them matters."""


class Level(NamedTuple):
    """The hosts' costs at one point of a plan; infinite where a host is overcommitted."""

    highest: float
    sum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RebalancePlan:
    """Moves in their order, each feasible after those before it.

    `levels` has one entry more than there are moves: the costs before the first, and after each. `held` are active VMs
    that were not considered, and why. `stopped` says that the limit of moves was reached, not the end.
    """

    moves: tuple[Move, ...]
    levels: tuple[Level, ...]
    held: tuple[Stuck, ...] = ()
    stopped: bool = False

    @property
    def before(self) -> Level:
        """The costs before the first move."""
        return self.levels[0]

    @property
    def after(self) -> Level:
        """The costs after the last move."""
        return self.levels[-1]


def rebalance(
    configuration: Configuration,
    fleet: Fleet,
    policy: MovePolicy = DEFAULT_POLICY,
    *,
    most: int | None = None,
    ledger: Ledger | None = None,
) -> RebalancePlan:
    """Plan until no VM would have a cheaper host, or for `most` moves. Hosts of unknown use are left out.

    The moves with `most` are the first of those without. A ledger of the same fleet may be handed in; it is given back
    as it was.
    """
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    crowd = _Crowd(ledger, policy)
    plan, costs = _planned(_Balance(crowd), None if most is None else max(most, _MOST_REPEATED + 1))
    if not plan.stopped and 1 < len(plan.moves) <= _MOST_REPEATED:
        shorter, its_costs = _planned(_Balance(crowd, by_memory=True), len(plan.moves) - 1)
        if not shorter.stopped and its_costs <= costs and _squares(its_costs) <= _squares(costs):
            plan = shorter
    if most is not None and len(plan.moves) > most:
        return replace(plan, moves=plan.moves[:most], levels=plan.levels[: most + 1], stopped=True)
    return plan


def _planned(bench: _Balance, most: int | None) -> tuple[RebalancePlan, list[float]]:
    """Move until nothing gains any more; gives the hosts' costs then, too, the highest first."""
    moves: list[Move] = []
    levels = [bench.level()]
    while (step := bench.best()) is not None:
        if most is not None and len(moves) >= most:
            break
        moves.append(bench.move(step))
        levels.append(bench.level())
    costs = sorted(bench.costs(), reverse=True)
    bench.restore()
    plan = RebalancePlan(
        moves=tuple(moves), levels=tuple(levels), held=tuple(bench.crowd.held), stopped=step is not None
    )
    return plan, costs


def _squares(costs: list[float]) -> float:
    return math.fsum(as_cost(cost * cost) for cost in costs)


class _Step(NamedTuple):
    """A candidate: the best has the greatest gain, then the most memory, then the first host and size by name."""

    gain: float
    memory: int
    minus_source: int
    minus_size: int
    place: Place


class _Crowd:
    """The VMs that may move, by size, and what each size costs on each host before the first move."""

    def __init__(self, ledger: Ledger, policy: MovePolicy) -> None:
        self.ledger = ledger
        self.held: list[Stuck] = []
        self.requests: list[Request] = []
        """One of each size of VM."""
        self.vms: list[dict[int, list[VM]]] = [{} for _ in ledger.hosts]
        """By host and size; the last of a list moves first."""
        self.realms: list[set[int]] = []
        """By size: hosts that may take it."""
        self.places: list[list[Place]] = []
        """By size, the best first."""
        movables = Movables(ledger, policy)
        sizes: dict[tuple[str, int, int, tuple[tuple[str, int], ...]], int] = {}
        for host, line in enumerate(ledger.hosts):
            at_all = movables.host_stuck(line.snapshot)
            for vm in sorted(line.snapshot.active_vms(), key=largest_first, reverse=True):
                reason = at_all if at_all is not None else movables.stuck(line.snapshot, vm)
                if reason is not None or line.tariff is None:
                    self.held.extend([Stuck(vm, *reason)] if reason is not None else [])
                    continue
                devices: tuple[tuple[str, int], ...] = ()
                if vm.devices:
                    devices = tuple(request_of(line.profile, vm, line.realm).devices.items())
                size = sizes.setdefault((line.realm, vm.vcpus, vm.memory_bytes, devices), len(sizes))
                if size == len(self.requests):
                    request = request_of(line.profile, vm, line.realm)
                    self.requests.append(request)
                    self.realms.append(set(ledger.candidates(request)))
                    self.places.append(sorted(ledger.places(request)))
                self.vms[host].setdefault(size, []).append(vm)


class _Balance:
    """The hosts, their movable VMs by size, and what each size would cost where; kept up to date move by move.

    Gains are of the hosts' costs, or `by_memory` of their memory in use; the moves that may be taken are the same.
    """

    def __init__(self, crowd: _Crowd, *, by_memory: bool = False) -> None:
        self.crowd = crowd
        self._by_memory = by_memory
        self.requests = crowd.requests
        self._ledger = ledger = crowd.ledger
        self._vms = [{size: vms.copy() for size, vms in sizes.items()} for sizes in crowd.vms]
        self._places: list[dict[int, Place]] = [{place[3]: place for place in places} for places in crowd.places]
        """By size and host."""
        self._queues = [places.copy() for places in crowd.places]
        """By size, a heap of places, some of them out of date."""
        self._without: list[dict[int, float]] = [{} for _ in ledger.hosts]
        """By host and size: cost of the host without one such VM."""
        self._falls: list[dict[int, float]] = [{} for _ in ledger.hosts]
        """By host and size: what the leaving of one such VM gains."""
        self._leavers: list[list[tuple[float, int]]] = [[] for _ in self.requests]
        """By size, a heap of hosts by their falls, the greatest first (negative); some out of date."""
        self._known = [host for host, line in enumerate(ledger.hosts) if line.tariff is not None]
        self._done: list[tuple[int, int]] = []
        for host in self._known:
            self._price_without(host)

    def _price_without(self, host: int) -> None:
        line = self._ledger.hosts[host]
        self._without[host] = {size: line.cost_without(vms[-1]) for size, vms in self._vms[host].items()}
        before, falls = self._falls[host], {}
        for size, lighter in self._without[host].items():
            if self._by_memory and line.cost != INFINITY:
                fall = float(_fall(line.memory, line.memory - self.requests[size].memory_bytes))
            else:
                fall = _fall(line.cost, lighter)
            falls[size] = fall if math.isfinite(fall) else INFINITY
            if before.get(size) != falls[size]:
                heapq.heappush(self._leavers[size], (-falls[size], host))
        self._falls[host] = falls

    def _gain(self, source: HostLine, lighter: float, place: Place, request: Request) -> float:
        target, memory = self._ledger.hosts[place[3]], request.memory_bytes
        if self._by_memory and source.cost != INFINITY:
            here = _fall(source.memory, source.memory - memory)
            return float(here - _fall(target.memory + memory, target.memory))
        return _gain(source.cost, lighter, target.cost, place[0])

    def costs(self) -> list[float]:
        """Return the hosts' costs now, in the order of their names."""
        return [self._ledger.hosts[host].cost for host in self._known]

    def level(self) -> Level:
        """Sum them up."""
        costs = self.costs()
        return Level(max(costs, default=0.0), as_cost(sum(costs)))

    def best(self) -> _Step | None:
        """Find the move of the greatest gain; None where no VM would have a cheaper host."""
        steps = (step for size in range(len(self.requests)) for step in self._best_of(size))
        return max(steps, default=None)

    def _best_of(self, size: int) -> list[_Step]:
        """Return the best move of a VM of one size, and that away from the host that would take it best, if any."""
        first, second = self._first_two(size)
        leavers = self._leavers[size]
        looked_at: list[tuple[float, int]] = []
        steps: list[_Step] = []
        while first is not None and leavers:
            fall, source = entry = leavers[0]
            if self._falls[source].get(size) != -fall or (looked_at and looked_at[-1] == entry):
                heapq.heappop(leavers)
                continue
            place = second if source == first[3] else first
            step = self._step(size, source, place) if place is not None else None
            if step is not None:
                steps.append(step)
                if place is first:
                    break
            looked_at.append(heapq.heappop(leavers))
        for entry in looked_at:
            heapq.heappush(leavers, entry)
        return steps

    def _step(self, size: int, source: int, place: Place) -> _Step | None:
        """Weigh a move; None where the VM's host would be no cheaper, or the one that it leaves."""
        line, lighter = self._ledger.hosts[source], self._without[source][size]
        cost = line.cost
        if place[0] >= cost or lighter >= cost != INFINITY:
            return None
        gain = self._gain(line, lighter, place, self.requests[size])
        return _Step(gain, self.requests[size].memory_bytes, -source, -size, place)

    def _first_two(self, size: int) -> tuple[Place | None, Place | None]:
        queue, places = self._queues[size], self._places[size]
        while queue and places.get(queue[0][3]) != queue[0]:
            heapq.heappop(queue)
        if not queue:
            return None, None
        first = heapq.heappop(queue)
        while queue and (places.get(queue[0][3]) != queue[0] or queue[0] == first):
            heapq.heappop(queue)
        second = queue[0] if queue else None
        heapq.heappush(queue, first)
        return first, second

    def move(self, step: _Step) -> Move:
        """Carry out a step in the ledger."""
        source, target, size = -step.minus_source, step.place[3], -step.minus_size
        ledger, request = self._ledger, self.requests[size]
        vms = self._vms[source][size]
        vm = vms.pop()
        if not vms:
            del self._vms[source][size]
        ledger.remove(source, vm.vcpus, vm.memory_bytes, vm.devices)
        devices = ledger.take(target, request)
        self._done.append((source, target))
        arrived = replace(vm, host=ledger.hosts[target].name, devices=devices)
        self._vms[target].setdefault(size, []).insert(0, arrived)  # others of its size go on before it does
        for host in (source, target):
            self._price_without(host)
            for each, its in enumerate(self.requests):
                if host not in self.crowd.realms[each]:
                    continue
                if (place := ledger.place(host, its)) is None:
                    self._places[each].pop(host, None)
                else:
                    self._places[each][host] = place
                    heapq.heappush(self._queues[each], place)
        return Move(vm=vm, target=ledger.hosts[target].name, cost=step.place[0], devices=devices, request=request)

    def restore(self) -> None:
        """Give the ledger back as it was."""
        for source, target in reversed(self._done):
            self._ledger.undo(target)
            self._ledger.undo(source)


def _fall(high: float, low: float) -> float:
    """Return by how much a square falls."""
    return (high - low) * (high + low)


def _gain(cost: float, lighter: float, before: float, after: float) -> float:
    """Say what a move takes from the sum of squares; one that helps an overcommitted host comes before all others."""
    if cost == INFINITY:
        return INFINITY
    gain = _fall(cost, lighter) - _fall(after, before)
    return gain if math.isfinite(gain) else cost - max(lighter, after)
