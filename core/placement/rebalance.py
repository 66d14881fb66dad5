"""The plan that evens out a fleet: VMs that would have a cheaper host move there, best gain first (section 11).

The rule of placement is asked again for each VM as if it were new: a host that would be cheaper with the VM than its
own is now takes it. A move also has to make its own host cheaper, so that the higher of the two costs goes down: the
costs of the hosts, from the highest down, fall with every move, and the plan has an end. The gain of a move is what it
takes from the sum of the squares of the costs: how far it evens out its two hosts.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from core.curves import INFINITY, settle
from core.placement.demand import Movables, MovePolicy, Stuck, largest_first, request_of
from core.placement.drain import Move
from core.placement.ledger import Ledger

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet import VM, Fleet
    from core.placement.ledger import Place
    from core.placement.request import Request


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
    policy: MovePolicy | None = None,
    *,
    most: int | None = None,
    ledger: Ledger | None = None,
) -> RebalancePlan:
    """Plan until no VM would have a cheaper host, or for `most` moves. Hosts of unknown use are left out.

    VMs that hold PCI devices stay unless the policy says otherwise: they can't move while they run. A ledger of the
    same fleet may be handed in; it is given back as it was.
    """
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    bench = _Balance(ledger, policy or MovePolicy(with_devices=False))
    moves: list[Move] = []
    levels = [bench.level()]
    while (step := bench.best()) is not None:
        if most is not None and len(moves) >= most:
            break
        moves.append(bench.move(step))
        levels.append(bench.level())
    bench.restore()
    return RebalancePlan(moves=tuple(moves), levels=tuple(levels), held=tuple(bench.held), stopped=step is not None)


class _Step(NamedTuple):
    """A candidate: the best has the greatest gain, then the most memory, then the first host and size by name."""

    gain: float
    memory: int
    minus_source: int
    minus_size: int
    place: Place


class _Balance:
    """The hosts, their movable VMs by size, and what each size would cost where; kept up to date move by move."""

    def __init__(self, ledger: Ledger, policy: MovePolicy) -> None:
        self._ledger = ledger
        self.held: list[Stuck] = []
        self.requests: list[Request] = []
        """One of each size of VM."""
        self._vms: list[dict[int, list[VM]]] = [{} for _ in ledger.hosts]
        """By host and size; the last of a list moves first."""
        self._realms: list[set[int]] = []
        """By size: hosts that may take it."""
        self._places: list[dict[int, Place]] = []
        """By size and host."""
        self._queues: list[list[Place]] = []
        """By size, a heap of places, some of them out of date."""
        self._without: list[dict[int, float]] = [{} for _ in ledger.hosts]
        """By host and size: cost of the host without one such VM."""
        self._falls: list[dict[int, float]] = [{} for _ in ledger.hosts]
        """By host and size: what the leaving of one such VM takes from the square of the host's cost."""
        self._leavers: list[list[tuple[float, int]]] = []
        """By size, a heap of hosts by their falls, the greatest first (negative); some out of date."""
        self._known = [host for host, line in enumerate(ledger.hosts) if line.tariff is not None]
        self._done: list[tuple[int, int]] = []
        self._sort_vms(Movables(ledger, policy))
        for host in self._known:
            self._price_without(host)

    def _sort_vms(self, movables: Movables) -> None:
        sizes: dict[tuple[str, int, int, tuple[tuple[str, int], ...]], int] = {}
        for host, line in enumerate(self._ledger.hosts):
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
                    self._realms.append(set(self._ledger.candidates(request)))
                    self._places.append({place[3]: place for place in self._ledger.places(request)})
                    self._queues.append(sorted(self._places[-1].values()))
                    self._leavers.append([])
                self._vms[host].setdefault(size, []).append(vm)

    def _price_without(self, host: int) -> None:
        line = self._ledger.hosts[host]
        self._without[host] = {size: line.cost_without(vms[-1]) for size, vms in self._vms[host].items()}
        before, falls = self._falls[host], {}
        for size, lighter in self._without[host].items():
            fall = _fall(line.cost, lighter)
            falls[size] = fall if math.isfinite(fall) else INFINITY
            if before.get(size) != falls[size]:
                heapq.heappush(self._leavers[size], (-falls[size], host))
        self._falls[host] = falls

    def level(self) -> Level:
        """Give the costs now, added in the order of the hosts' names."""
        costs = [self._ledger.hosts[host].cost for host in self._known]
        return Level(max(costs, default=0.0), settle(sum(costs)))

    def best(self) -> _Step | None:
        """Find the move of the greatest gain; None where no VM would have a cheaper host."""
        steps = (step for size in range(len(self.requests)) for step in self._best_of(size))
        return max(steps, default=None)

    def _best_of(self, size: int) -> list[_Step]:
        """Give the best move of a VM of one size, and that away from the host that would take it best, if any."""
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
        cost, lighter = self._ledger.hosts[source].cost, self._without[source][size]
        if place[0] >= cost or lighter >= cost != INFINITY:
            return None
        gain = _gain(cost, lighter, self._ledger.hosts[place[3]].cost, place[0])
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
                if host not in self._realms[each]:
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
    """Say by how much the square of a cost falls."""
    return (high - low) * (high + low)


def _gain(cost: float, lighter: float, before: float, after: float) -> float:
    """Say what a move takes from the sum of squares; one that helps an overcommitted host comes before all others."""
    if cost == INFINITY:
        return INFINITY
    gain = _fall(cost, lighter) - _fall(after, before)
    return gain if math.isfinite(gain) else cost - max(lighter, after)
