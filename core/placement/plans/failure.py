"""The failure check: would the fleet survive the loss of hosts, and which VMs would have no place (section 11).

The VMs of the lost hosts are placed anew on those that are left, the largest first, each by the rule of placement
within its realm. Foreign VMs are placed too, since they would need the room; VMs that are off need none.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

from core.codes import Stays
from core.config.model import Configuration
from core.curves import INFINITY
from core.errors import UsageError
from core.fleet.fleet import VM, Connection, Fleet
from core.placement.engine.ledger import HostLine, Ledger, Place
from core.placement.engine.request import Request
from core.placement.plans.demand import Stuck, largest_first, no_place, request_of

DEFAULT_BUDGET = 20_000
"""Sets of hosts that are tried for the loss of several at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLoss:
    """What the loss of one host would mean. `homeless` are the VMs that no other host could take.

    `survives` is None where nobody knows what runs there, `note` says why; data of a host that doesn't answer are
    taken as they were last seen, and `note` says so.
    """

    host: str
    survives: bool | None
    homeless: tuple[Stuck, ...] = ()
    placed: int = 0
    """Number of VMs that would find a place."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FailureCheck:
    """The loss of each host by itself, by name."""

    hosts: tuple[HostLoss, ...]

    @property
    def survives(self) -> bool:
        """Whether all VMs known of would find a place, whichever host is lost."""
        return all(loss.survives is not False for loss in self.hosts)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Hosts of which nobody knows what their loss would mean."""
        return tuple(loss.host for loss in self.hosts if loss.survives is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralLost:
    """Whether the fleet survives the loss of any `at_once` hosts together.

    `worst` is the first set found that it doesn't survive, `homeless` the VMs without a place then. `proven` says that
    the answer holds: a set was found, or all of them were tried; else the budget ran out after `tried` of `sets`.
    """

    at_once: int
    sets: int
    tried: int
    worst: tuple[str, ...] = ()
    homeless: tuple[Stuck, ...] = ()

    @property
    def survives(self) -> bool:
        """Whether no set was found that it doesn't survive."""
        return not self.worst

    @property
    def proven(self) -> bool:
        """Whether the answer holds of all sets."""
        return bool(self.worst) or self.tried == self.sets


def failure(configuration: Configuration, fleet: Fleet, *, ledger: Ledger | None = None) -> FailureCheck:
    """Lose each host by itself. A ledger of the same fleet may be handed in; it is given back as it was."""
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    shelter = _Shelter(ledger)
    return FailureCheck(tuple(_lose_one(ledger, shelter, host) for host in range(len(ledger.hosts))))


def _lose_one(ledger: Ledger, shelter: _Shelter, host: int) -> HostLoss:
    line = ledger.hosts[host]
    realm = ledger.configuration.realms.get(line.realm)
    if realm is None or realm.disabled:
        state = "disabled" if realm is not None else "not in the configuration"
        return HostLoss(host=line.name, survives=None, note=f"realm {line.realm} is {state}: no VMs are placed there")
    if not line.snapshot.is_known:
        return HostLoss(host=line.name, survives=None, note=f"{line.name} has never answered")
    note = ""
    if line.snapshot.connection is not Connection.CONNECTED:
        note = f"{line.name} does not answer: its VMs are counted as last seen"
    victims = shelter.victims(host)
    homeless = tuple(shelter.place(victims, (host,)))
    placed = len(victims) - len(homeless)
    return HostLoss(host=line.name, survives=not homeless, homeless=homeless, placed=placed, note=note)


def failure_of_several(
    configuration: Configuration,
    fleet: Fleet,
    at_once: int,
    *,
    budget: int = DEFAULT_BUDGET,
    ledger: Ledger | None = None,
) -> SeveralLost:
    """Lose every set of `at_once` hosts that are known, those with the most memory in use first.

    Stops at the first set that the fleet doesn't survive, or after `budget` sets. Raises UsageError for less than 1.
    """
    if at_once < 1:
        raise UsageError(f"the number of lost hosts must be at least 1, not {at_once}")
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    shelter = _Shelter(ledger)
    known = [host for host, line in enumerate(ledger.hosts) if line.snapshot.is_known and _is_enabled(ledger, host)]
    known.sort(key=lambda host: (-sum(vm.memory_bytes for vm, *_ in shelter.victims(host)), host))
    sets, tried = comb(len(known), at_once), 0
    for lost in islice(combinations(known, at_once), budget):
        tried += 1
        victims = heapq.merge(*(shelter.victims(host) for host in lost), key=lambda victim: largest_first(victim[0]))
        if homeless := shelter.place(victims, lost):
            worst = tuple(sorted(ledger.hosts[host].name for host in lost))
            return SeveralLost(at_once=at_once, sets=sets, tried=tried, worst=worst, homeless=tuple(homeless))
    return SeveralLost(at_once=at_once, sets=sets, tried=tried)


def _is_enabled(ledger: Ledger, host: int) -> bool:
    realm = ledger.configuration.realms.get(ledger.hosts[host].realm)
    return realm is not None and not realm.disabled


_Size = tuple[str | None, int, int, tuple[tuple[str, int], ...]]
"""What tells requests apart."""
_Victim = tuple["VM", int, "Request | None"]
"""A VM that needs a place, and the number of its size; without a request where nobody knows what devices it needs."""


_MOST_REMEMBERED = 1 << 16
"""States of hosts that are kept for the next lost host before all are forgotten; about 1 KiB each."""
_MOST_RANKED = 1 << 20
"""Places in the rankings that are kept before all are forgotten; about 130 bytes each."""


class _Filled:
    """A host with some VMs more than it has, the same object for the same VMs: lost hosts' VMs go to few hosts."""

    __slots__ = ("_places", "after", "host", "line")

    def __init__(self, host: int, line: HostLine) -> None:
        self.host = host
        self.line = line
        self.after: dict[int, _Filled] = {}
        """By size: the host with one such VM more."""
        self._places: dict[int, Place | None] = {}

    def place(self, size: int, request: Request) -> Place | None:
        """Return what it would cost with a VM of a size more; None where it can't take it."""
        if size not in self._places:
            line = self.line
            cost = line.cost_with(request) if line.realm == request.realm else INFINITY
            self._places[size] = None if cost == INFINITY else (cost, cost - line.cost, line.vms, self.host)
        return self._places[size]


class _Shelter:
    """Finds places for the VMs of lost hosts, over and over on the same fleet.

    The hosts' order for each size of VM is worked out once; only those that took a VM since are looked at anew.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sizes: dict[_Size, tuple[int, Request]] = {}
        """Their numbers, and one request of each."""
        self._rankings: dict[int, list[Place]] = {}
        self._victims: dict[int, list[_Victim]] = {}
        self._filled: dict[int, _Filled] = {}
        """By index: hosts as they are."""
        self._remembered = 0
        """States of hosts asked for since all were forgotten: at least as many as there are."""

    def victims(self, host: int) -> list[_Victim]:
        """Return the VMs that need a place when a host is lost, the largest first."""
        if host not in self._victims:
            vms = sorted([vm for vm in self._ledger.hosts[host].snapshot.vms if vm.active], key=largest_first)
            self._victims[host] = [(vm, *self._size(host, vm)) for vm in vms]
        return self._victims[host]

    def _size(self, host: int, vm: VM) -> tuple[int, Request | None]:
        line = self._ledger.hosts[host]
        if not vm.devices:
            size: _Size = (line.realm, vm.vcpus, vm.memory_bytes, ())
            if (known := self._sizes.get(size)) is not None:
                return known
        elif line.profile is None or any(line.profile.type_of(address) is None for address in vm.devices):
            return -1, None
        request = request_of(line.profile, vm, line.realm)
        size = (line.realm, vm.vcpus, vm.memory_bytes, tuple(request.devices.items()))
        return self._sizes.setdefault(size, (len(self._sizes), request))

    def place(self, victims: Iterable[_Victim], lost: Collection[int]) -> list[Stuck]:
        """Place VMs on the hosts that are left; gives those without a place. The ledger is as before afterwards."""
        homeless: list[Stuck] = []
        took: list[tuple[int, Request]] = []
        changed: dict[int, _Filled] = {}
        size = -1
        ranking: list[Place] = []
        again: list[Place] = []
        position, reason = 0, ("", "")
        for vm, its_size, request in victims:
            if request is None:
                homeless.append(Stuck(vm, Stays.UNKNOWN_DEVICE, "the devices it needs are unknown"))
                continue
            if its_size != size:
                size, ranking, position, reason = its_size, self._ranking(its_size, request), 0, ("", "")
                self._remembered += len(changed)
                again = [place for filled in changed.values() if (place := filled.place(size, request)) is not None]
                heapq.heapify(again)
            while position < len(ranking) and ((host := ranking[position][3]) in changed or host in lost):
                position += 1
            best = ranking[position] if position < len(ranking) else None
            if again and (best is None or again[0] < best):
                best = heapq.heappop(again)
            if best is None:
                reason = reason if reason[0] else self._why(request, lost, took)
                homeless.append(Stuck(vm, *reason))
                continue
            host = best[3]
            changed[host] = filled = self._with_one_more(changed.get(host), size, request, best)
            took.append((host, request))
            if (place := filled.place(size, request)) is not None:
                heapq.heappush(again, place)
        self._remembered += 2 * len(took)
        if self._remembered > _MOST_REMEMBERED:
            self._filled.clear()
            self._remembered = 0
        return homeless

    def _with_one_more(self, filled: _Filled | None, size: int, request: Request, place: Place) -> _Filled:
        """Return a host as it was filled so far, with a VM of a size more."""
        cost, _, _, host = place
        if filled is None and (filled := self._filled.get(host)) is None:
            self._filled[host] = filled = _Filled(host, self._ledger.hosts[host])
        if (after := filled.after.get(size)) is None:
            line = filled.line.aside()
            line.occupy(request, cost)
            filled.after[size] = after = _Filled(host, line)
        return after

    def _why(self, request: Request, lost: Collection[int], took: list[tuple[int, Request]]) -> tuple[str, str]:
        """Return why no host takes a VM once those before it are placed."""
        for host, its in took:
            self._ledger.take(host, its)
        reason = no_place(self._ledger, request, lost)
        for host, _ in took:
            self._ledger.undo(host)
        return reason

    def _ranking(self, size: int, request: Request) -> list[Place]:
        if size not in self._rankings:
            if (len(self._rankings) + 1) * len(self._ledger.hosts) > _MOST_RANKED:
                self._rankings.clear()
            self._rankings[size] = sorted(self._ledger.places(request))
        return self._rankings[size]
