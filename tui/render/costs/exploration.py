"""A request judged against a fleet: what the cost explorer shows, and two of which can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from core.config.model import Configuration
from core.costs import Cost, CostFunction, Term, Use
from core.curves import INFINITY, Curve
from core.fleet.fleet import Fleet
from core.hardware import HardwareProfile
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placements, Verdict
from core.placement.what_if.comparison import HostCompared, compare_rankings
from core.placement.what_if.sandbox import Change as SandboxChange
from core.placement.what_if.sandbox import Sandbox


@dataclass(frozen=True)
class Exploration:
    """Which hosts take `count` VMs of a request, under one configuration and one fleet."""

    configuration: Configuration
    fleet: Fleet
    request: Request
    placements: Placements
    before: Exploration | None = None
    """The same asked without the changes of a what-if; None where there are none."""
    changes: tuple[SandboxChange, ...] = ()
    """The changes of the what-if that this is."""

    @property
    def count(self) -> int:
        """Number of VMs to be placed."""
        return self.placements.count

    def says_the_same_as(self, other: Exploration) -> bool:
        """Return whether the answer is the same, figure by figure, although the fleet may be newer."""
        if (self.before is None) != (other.before is None) or self.changes != other.changes:
            return False
        if self.before is not None and other.before is not None and not self.before.says_the_same_as(other.before):
            return False
        return self.configuration is other.configuration and self.placements == other.placements

    @cached_property
    def compared(self) -> dict[str, HostCompared]:
        """What differs by the changes of a what-if, host by host; empty without changes."""
        if self.before is None:
            return {}
        compared = compare_rankings(self.before.placements.verdicts, self.placements.verdicts)
        return {host.host: host for host in compared}

    @cached_property
    def dropped(self) -> tuple[Verdict, ...]:
        """Hosts that the changes take out of the fleet, as they are."""
        return tuple(each.before for each in self.compared.values() if each.after is None and each.before is not None)

    @cached_property
    def ranked(self) -> tuple[Verdict, ...]:
        """Hosts that can take the first VM, best first."""
        return tuple(verdict for verdict in self.placements.verdicts if verdict.feasible)

    @cached_property
    def refused(self) -> tuple[Verdict, ...]:
        """Hosts that can't, by name."""
        return tuple(verdict for verdict in self.placements.verdicts if not verdict.feasible)

    @cached_property
    def placed_on(self) -> dict[str, int]:
        """How many of the VMs each host takes, in the order in which the hosts were first chosen."""
        numbers: dict[str, int] = {}
        for placement in self.placements.placements:
            numbers[placement.host] = numbers.get(placement.host, 0) + 1
        return numbers

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that some host has a term for, in the order in which terms are added."""
        first = ("vms", "vcpus", "memory")
        found = {term.attribute for verdict in self.placements.verdicts for term in verdict.terms}
        return (*first, *sorted(found.difference(first)))

    def verdict(self, host: str) -> Verdict | None:
        """Return what placement says of a host; None where it was not asked."""
        return next((verdict for verdict in self.placements.verdicts if verdict.host == host), None)

    def close_up(self, host: str) -> CloseUp | None:
        """Look at one host; None where the ranking has no such host."""
        verdict = self.verdict(host)
        snapshot = self.fleet.host(host)
        if verdict is None or snapshot is None:
            return None
        profile = self.configuration.hardware_profiles.get(snapshot.host.profile)
        function = self.configuration.cost_functions.get(profile.cost_function) if profile is not None else None
        return CloseUp(verdict, profile, function, self.request, self.placed_on.get(host, 0))


@dataclass(frozen=True, slots=True)
class Change:
    """One term of a host's cost before and after placing; None where the use is unknown."""

    attribute: str
    curve: Curve | None
    before: Term | None
    after: Term | None

    @property
    def rise(self) -> float:
        """How much the term adds; infinite where placing makes it so, 0 where the use is unknown."""
        if self.before is None or self.after is None or self.before.cost == INFINITY:
            return 0.0
        return self.after.cost - self.before.cost


@dataclass(frozen=True)
class CloseUp:
    """One host: its verdict, and its cost before and after the VMs that it takes (one, where it takes none)."""

    verdict: Verdict
    profile: HardwareProfile | None
    function: CostFunction | None
    request: Request
    takes: int

    @property
    def host(self) -> str:
        """The host's name."""
        return self.verdict.host

    @property
    def added(self) -> int:
        """Number of VMs between before and after."""
        return max(1, self.takes)

    @cached_property
    def before(self) -> Cost | None:
        """Cost of the host as it is; None where its use is unknown."""
        return self.verdict.before

    @cached_property
    def after(self) -> Cost | None:
        """Cost of the host with the added VMs; None where its use is unknown."""
        if self.added == 1 or self.verdict.use is None or self.function is None:
            return self.verdict.cost
        one, number = self.request.use, self.added
        devices = {kind: count * number for kind, count in one.devices.items()}
        more = Use(number, one.vcpus * number, one.memory_bytes * number, devices)
        return self.function.cost(self.verdict.use + more)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every term, before and after; without a use only the curves, without a cost function nothing."""
        if self.before is not None and self.after is not None:
            before = {term.attribute: term for term in self.before.terms}
            return tuple(
                Change(term.attribute, term.curve, before.get(term.attribute), term) for term in self.after.terms
            )
        if self.function is None:
            return ()
        return tuple(
            Change(term.attribute, term.curve, None, None) for term in self.function.terms(Use(), self.request.devices)
        )

    @cached_property
    def matters_most(self) -> str | None:
        """The attribute to look at first: the one that refuses the host, or else adds most; None without curves."""
        curves = [change for change in self.changes if change.curve is not None]
        if not curves:
            return None
        refusal = self.verdict.refusal
        if refusal is not None and any(change.attribute == refusal.term for change in curves):
            return refusal.term
        if self.before is None:
            return next((change.attribute for change in curves if change.attribute == "memory"), curves[0].attribute)
        return max(reversed(curves), key=_weight).attribute

    def capacity(self, attribute: str) -> float | None:
        """Return what the host's profile has of an attribute; None for VMs, and without a profile."""
        if self.profile is None or attribute == "vms":
            return None
        if attribute == "vcpus":
            return float(self.profile.cores)
        if attribute == "memory":
            return float(self.profile.memory_bytes)
        return float(len(self.profile.addresses(attribute.removeprefix("devices."))))


def _weight(change: Change) -> tuple[float, float]:
    return (change.rise, abs(change.after.cost) if change.after is not None else 0.0)


def explore(configuration: Configuration, fleet: Fleet, request: Request, count: int = 1) -> Exploration:
    """Judge and place the request; raises UsageError for a count below 1."""
    return Exploration(configuration, fleet, request, place(configuration, fleet, request, count))


def explore_what_if(sandbox: Sandbox, before: Exploration) -> Exploration:
    """Judge and place what was asked `before` as things would be, and keep beside it how they are."""
    after = sandbox.after
    explored = explore(after.configuration, after.fleet, before.request, before.count)
    return replace(explored, before=before, changes=sandbox.changes)
