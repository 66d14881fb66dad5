"""Capacity for a mix of sizes: how many whole mixes fit, placed one after another (specification, section 11)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.config.model import Configuration
from core.costs import NO_DEVICES
from core.errors import UsageError
from core.fleet.fleet import Fleet
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request, RequestKey
from core.placement.engine.verdicts import Refusal
from core.placement.plans.batch import each_best
from core.placement.plans.capacity import capacity, left_over
from core.placement.plans.demand import no_place

DEFAULT_MOST = 100_000
"""VMs that are placed before counting ends."""

MOST_OF_A_MIX = 10_000
"""VMs that one mix may have, where it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixOnHost:
    """What a host has of the whole mixes that fit: how many VMs of each size, in the order of the mix.

    `stopped_by` is its reason against the VM that ends the next mix. `left` is what the whole mixes leave of each
    attribute that has a limit, as for a capacity: stranded, where no further VM can use it.
    """

    host: str
    realm: str
    counts: tuple[int, ...]
    stopped_by: Refusal | None = None
    left: Mapping[str, int] = field(default_factory=lambda: NO_DEVICES)

    @property
    def vms(self) -> int:
        """VMs of all sizes."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixCapacity:
    """How many whole mixes fit; None where nothing limits them. `capped` says that counting was ended, not the room.

    `by_host` counts the VMs of whole mixes on each host; `hosts` tell more of all that were asked, by name, and are
    empty where nothing limits the mixes. `stopped_by` is the first request of the next mix that finds no host; `why`
    and `message` say why not.
    """

    mix: tuple[tuple[Request, int], ...]
    fits: int | None
    by_host: Mapping[str, int]
    hosts: tuple[MixOnHost, ...] = ()
    stopped_by: Request | None = None
    why: str = ""
    message: str = ""
    capped: bool = False


def capacity_of_mix(
    configuration: Configuration,
    fleet: Fleet,
    mix: Sequence[tuple[Request, int]],
    *,
    most: int = DEFAULT_MOST,
    ledger: Ledger | None = None,
) -> MixCapacity:
    """Place mixes (so many VMs of each request), the largest VM of each first, until one doesn't fit as a whole.

    Raises UsageError for an empty mix. A ledger of the same fleet may be handed in; it is given back as it was.
    """
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    sizes = sorted(mix, key=lambda pair: (-pair[0].memory_bytes, -pair[0].vcpus, pair[0].key))
    one = [request for request, count in sizes for _ in range(count)]
    if not one:
        raise UsageError("a mix needs at least 1 VM")
    if all(capacity(configuration, fleet, request, ledger=ledger).unbounded for request, count in mix if count):
        return MixCapacity(mix=tuple(mix), fits=None, by_host={})
    rounds = max(1, most // len(one))
    taken: list[int] = []
    stopped_by: Request | None = None
    why = message = ""
    for number, (place, _) in enumerate(each_best(ledger, one * rounds)):
        if place is None:
            stopped_by = one[number % len(one)]
            why, message = no_place(ledger, stopped_by, ())
            break
        taken.append(place[3])
    fits = len(taken) // len(one)
    whole, begun = taken[: fits * len(one)], taken[fits * len(one) :]
    against = _against(ledger, one, stopped_by)  # while what was begun of the next mix still has its place
    for host in reversed(begun):
        ledger.undo(host)
    hosts = _on_hosts(ledger, tuple(mix), one, whole, against)
    for host in reversed(whole):
        ledger.undo(host)
    return MixCapacity(
        mix=tuple(mix),
        fits=fits,
        by_host={ledger.hosts[host].name: count for host, count in sorted(Counter(whole).items())},
        hosts=hosts,
        stopped_by=stopped_by,
        why=why,
        message=message,
        capped=stopped_by is None,
    )


def _against(ledger: Ledger, one: Sequence[Request], stopped_by: Request | None) -> dict[int, Refusal | None]:
    """Return each host's reason against the VM that finds none; empty where all found one."""
    if stopped_by is None:
        return {}
    return {host: ledger.verdict(host, stopped_by).refusal for host in _asked(ledger, one)}


def _on_hosts(
    ledger: Ledger,
    mix: tuple[tuple[Request, int], ...],
    one: Sequence[Request],
    whole: Sequence[int],
    against: Mapping[int, Refusal | None],
) -> tuple[MixOnHost, ...]:
    counts: dict[int, Counter[RequestKey]] = {}
    for number, host in enumerate(whole):
        counts.setdefault(host, Counter())[one[number % len(one)].key] += 1
    found = []
    for host in _asked(ledger, one):
        line, its = ledger.hosts[host], dict(counts.get(host, ()))
        usable = line.tariff if not line.refusals else None
        left = dict(left_over(line, usable, one[0])) if usable is not None else NO_DEVICES
        found.append(
            MixOnHost(
                host=line.name,
                realm=line.realm,
                counts=tuple(its.pop(request.key, 0) for request, _ in mix),
                stopped_by=against.get(host),
                left=left,
            )
        )
    return tuple(found)


def _asked(ledger: Ledger, one: Sequence[Request]) -> list[int]:
    """Return the hosts that may be asked for some VM of the mix."""
    realms = {request.realm for request in one}
    return [host for host, line in enumerate(ledger.hosts) if None in realms or line.realm in realms]
