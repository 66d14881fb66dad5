"""What a change of hosts would mean, worked out before it is made: room, failures, and where VMs could go instead.

Pure functions of a configuration and a fleet; what is known of the hosts stays what was last seen.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from core.placement.plans.drain import DrainPlan, drain
from core.placement.plans.failure import HostLoss, failure
from core.placement.what_if.changes import with_states, without_hosts

MOST_EMPTIED = 32
"""Hosts whose emptying is planned together."""


@dataclass(frozen=True, slots=True)
class HostsChange:
    """Hosts that are to be put into a state, or to be removed where `state` is None."""

    hosts: tuple[str, ...]
    state: HostState | None

    def realms(self, fleet: Fleet) -> tuple[str, ...]:
        """Name the realms that it touches."""
        named = set(self.hosts)
        return tuple(sorted({snapshot.host.realm for snapshot in fleet.hosts if snapshot.name in named}))

    def apply(self, fleet: Fleet) -> Fleet:
        """Return the fleet as it would be."""
        if self.state is None:
            return without_hosts(fleet, set(self.hosts))
        return with_states(fleet, dict.fromkeys(self.hosts, self.state))


@dataclass(frozen=True, slots=True)
class RoomChange:
    """How many more VMs of a request fit in a realm; None where nothing limits them."""

    realm: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Losses:
    """What the loss of any one host of a realm would mean: `worst` leaves the most VMs without a place.

    `fatal` is the number of hosts whose loss leaves any, `unknown` of those whose figures are unknown.
    """

    worst: HostLoss | None
    fatal: int
    unknown: int


@dataclass(frozen=True, slots=True)
class SurvivalChange:
    """Whether a realm survives the loss of any one host, before and after."""

    realm: str
    before: Losses
    after: Losses


def room_change(
    configuration: Configuration, fleet: Fleet, change: HostsChange, request: Request
) -> tuple[RoomChange, ...]:
    """Count how many such VMs fit in each realm that is touched, before and after."""
    realms = change.realms(fleet)
    anywhere = replace(request, realm=None)
    of_realms = _within(fleet, realms)
    before = capacity(configuration, of_realms, anywhere).by_realm()
    after = capacity(configuration, change.apply(of_realms), anywhere).by_realm()
    return tuple(RoomChange(realm, before[realm], after.get(realm, 0)) for realm in realms)


def survival_change(configuration: Configuration, fleet: Fleet, change: HostsChange) -> tuple[SurvivalChange, ...]:
    """Lose each host of the realms that are touched, before and after."""
    found = []
    for realm in change.realms(fleet):
        its = _within(fleet, (realm,))
        found.append(SurvivalChange(realm, _losses(configuration, its), _losses(configuration, change.apply(its))))
    return tuple(found)


def _losses(configuration: Configuration, fleet: Fleet) -> Losses:
    losses = failure(configuration, fleet).hosts
    fatal = [loss for loss in losses if loss.survives is False]
    worst = min(fatal, key=lambda loss: (-len(loss.homeless), loss.host), default=None)
    return Losses(worst, len(fatal), sum(loss.survives is None for loss in losses))


def emptying(
    configuration: Configuration, fleet: Fleet, change: HostsChange, wanted: Callable[[], bool] = lambda: True
) -> tuple[DrainPlan, ...] | None:
    """Plan to empty the hosts one after another, each counting for the next; none of them takes a VM of the others.

    None for more than MOST_EMPTIED hosts, or once `wanted` says that nobody waits for it any more.
    """
    if len(change.hosts) > MOST_EMPTIED:
        return None
    cordoned = with_states(fleet, dict.fromkeys(change.hosts, HostState.NO_SCHEDULING))
    ledger = Ledger(configuration, cordoned)
    plans = []
    for host in change.hosts:
        if not wanted():
            return None
        plan = drain(configuration, cordoned, host, ledger=ledger)
        for move in plan.moves:  # `drain` gives the ledger back as it was
            ledger.take(ledger.index[move.target], move.request)
        plans.append(plan)
    return tuple(plans)


def _within(fleet: Fleet, realms: Collection[str]) -> Fleet:
    return Fleet(fleet.taken, tuple(snapshot for snapshot in fleet.hosts if snapshot.host.realm in realms))
