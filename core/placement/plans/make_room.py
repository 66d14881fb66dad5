"""Moves that make room for a VM that no host can take: as few as can be found, the fewest where that is proven.

The search tries sets of one move, then of two, and so on. A host could take the VM without some of its own VMs; each of
these has to find a place on another host, which may have to give one away in turn. Where the budget ends before all
sets were tried, one host is cleared as far as needed.
"""

from collections.abc import Generator
from dataclasses import dataclass

from core.config.model import Configuration
from core.curves import INFINITY
from core.fleet.fleet import VM, Fleet
from core.hardware import PciAddress
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request, RequestKey
from core.placement.plans.clearing import clear_one_host
from core.placement.plans.demand import DEFAULT_POLICY, Movables, MovePolicy, largest_first, request_of
from core.placement.plans.drain import Move

DEFAULT_MOST_MOVES = 8
DEFAULT_BUDGET = 20_000
"""Hosts that are asked before the search gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPlan:
    """Where the VM goes after these moves, each feasible after those before it; `host` None where none were found.

    `smallest` says that fewer moves are proven not to do. `exhausted` says that nothing was left to try up to the limit
    of moves; else the budget ended the search.
    """

    request: Request
    host: str | None
    cost: float
    devices: tuple[PciAddress, ...]
    moves: tuple[Move, ...]
    smallest: bool
    exhausted: bool
    asked: int
    """Number of times that a host was asked."""


def make_room(
    configuration: Configuration,
    fleet: Fleet,
    request: Request,
    policy: MovePolicy = DEFAULT_POLICY,
    *,
    most_moves: int = DEFAULT_MOST_MOVES,
    budget: int = DEFAULT_BUDGET,
    ledger: Ledger | None = None,
) -> RoomPlan:
    """Find moves after which a host takes the VM; none where one does already. The ledger is given back as it was."""
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    search = _Search(ledger, request, policy, budget)
    for count in range(most_moves + 1):
        found = search.within(count)
        if found is not None:
            host, cost, devices, moves = found
            return RoomPlan(
                request=request, host=host, cost=cost, devices=devices, moves=moves,
                smallest=not moves or (search.in_budget and search.frees_only),
                exhausted=False, asked=search.asked,
            )  # fmt: skip
        if not search.in_budget:
            break
    asked, exhausted = search.asked, search.in_budget
    found = None if exhausted else clear_one_host(ledger, request, search.movable, most_moves)
    name, cost, devices, moves = found if found is not None else (None, INFINITY, (), ())
    return RoomPlan(
        request=request, host=name, cost=cost, devices=devices, moves=moves, smallest=False, exhausted=exhausted,
        asked=asked,
    )  # fmt: skip


_Found = tuple[str, float, "tuple[PciAddress, ...]", tuple[Move, ...]]
_Wanderer = tuple["VM | None", "Request", int]
"""What needs a place: a VM and the host that it leaves, or None and -1 for the VM that is new."""


class _Search:
    def __init__(self, ledger: Ledger, request: Request, policy: MovePolicy, budget: int) -> None:
        self._ledger = ledger
        self._request = request
        self._budget = budget
        self.asked = 0
        self._movable: dict[int, list[tuple[VM, Request]]] = {}
        self._movables = Movables(ledger, policy)
        self._moved: list[tuple[VM, Request, int, int]] = []
        """VMs that have left their host and found another: VM, what it asks, from, to."""
        self._gone: set[tuple[str, str]] = set()

    @property
    def in_budget(self) -> bool:
        """Whether the search has not been cut short."""
        return self.asked < self._budget

    @property
    def frees_only(self) -> bool:
        """Whether taking VMs away from a host is all that can help: no curve is infinite below a finite input."""
        tables = [
            table
            for tariff in {id(line.tariff): line.tariff for line in self._ledger.hosts}.values()
            if tariff is not None
            for table in (tariff.vms, tariff.vcpus, tariff.memory, *tariff.devices)
        ]
        return all(table.curve is None or table.curve.limit() is not None for table in tables)

    def within(self, moves: int) -> _Found | None:
        """Look for a solution of at most so many moves."""
        arrangements = self._settle([(None, self._request, -1)], moves)
        found = next(arrangements, None)
        arrangements.close()  # which gives the ledger back
        return found

    def _settle(self, wanderers: list[_Wanderer], moves: int) -> Generator[_Found, None, None]:
        """Find places for all that need one; gives each arrangement that can be carried out."""
        if not wanderers:
            if (found := self._carried_out()) is not None:
                yield found
            return
        (_, request, source), rest = wanderers[-1], wanderers[:-1]
        candidates = self._ledger.candidates(request)
        fitting = sorted(
            place for host in candidates if host != source and (place := self._ask(host, request)) is not None
        )
        for _, _, _, host in fitting:
            yield from self._on(host, wanderers[-1], rest, moves)
        if moves == 0:
            return
        full = set(candidates) - {host for *_, host in fitting} - {source}
        for host in sorted(full):
            if not self.in_budget:
                return
            yield from self._by_clearing(host, wanderers, moves, [], 0)

    def _ask(self, host: int, request: Request) -> tuple[float, float, int, int] | None:
        self.asked += 1
        return self._ledger.place(host, request)

    def _on(self, host: int, wanderer: _Wanderer, rest: list[_Wanderer], moves: int) -> Generator[_Found, None, None]:
        vm, request, source = wanderer
        self._ledger.take(host, request)
        if vm is not None:
            self._moved.append((vm, request, source, host))
        else:
            self._target = host
        try:
            yield from self._settle(rest, moves)
        finally:
            if vm is not None:
                self._moved.pop()
            self._ledger.undo(host)

    def _by_clearing(
        self, host: int, wanderers: list[_Wanderer], moves: int, cleared: list[_Wanderer], first: int
    ) -> Generator[_Found, None, None]:
        """Take VMs away from a host until it has room for the last of the wanderers.

        They go in the order of the host's list, from `first` on, so that each set of them is tried once.
        """
        tried: set[RequestKey] = set()
        for index, (other, its) in enumerate(self.movable(host)[first:], first):
            if not self.in_budget:
                return
            if its.key in tried or other.key in self._gone:  # VMs of one size are alike
                continue
            if not other.devices:
                tried.add(its.key)
            self._gone.add(other.key)
            self._ledger.remove(host, other.vcpus, other.memory_bytes, other.devices)
            now_cleared = [*cleared, (other, its, host)]
            try:
                if self._ask(host, wanderers[-1][1]) is not None:
                    yield from self._on(host, wanderers[-1], [*wanderers[:-1], *now_cleared], moves - 1)
                elif moves > 1:
                    yield from self._by_clearing(host, wanderers, moves - 1, now_cleared, index + 1)
            finally:
                self._ledger.undo(host)
                self._gone.discard(other.key)

    def movable(self, host: int) -> list[tuple[VM, Request]]:
        """Return the VMs of a host that may move, the smallest first, with what they ask."""
        if host not in self._movable:
            line = self._ledger.hosts[host]
            can = self._movables.host_stuck(line.snapshot) is None
            self._movable[host] = [
                (vm, request_of(line.profile, vm, line.realm))
                for vm in sorted(line.snapshot.active_vms(), key=largest_first, reverse=True)
                if can and self._movables.stuck(line.snapshot, vm) is None
            ]
        return self._movable[host]

    def _carried_out(self) -> _Found | None:
        """Put the moves in an order in which each is feasible, starting from the fleet as it is; None without one."""
        ledger = self._ledger
        fresh = Ledger(ledger.configuration, ledger.fleet) if self._moved else None
        if fresh is None:
            place = (ledger.hosts[self._target].cost, self._assigned())
            return (ledger.hosts[self._target].name, *place, ())
        left, moves = list(reversed(self._moved)), []
        while left:
            for step in left:
                vm, request, source, target = step
                if (place_there := fresh.place(target, request)) is not None:
                    break
            else:
                return None
            left.remove(step)
            devices = fresh.take(target, request)
            fresh.remove(source, vm.vcpus, vm.memory_bytes, vm.devices)
            name = fresh.hosts[target].name
            moves.append(Move(vm=vm, target=name, cost=place_there[0], devices=devices, request=request))
        final = fresh.place(self._target, self._request)
        if final is None:
            return None
        devices = fresh.take(self._target, self._request)
        return fresh.hosts[self._target].name, final[0], devices, tuple(moves)

    def _assigned(self) -> tuple[PciAddress, ...]:
        return self._ledger.hosts[self._target].changes[-1][3]
