"""Capacity for a mix of sizes: how many whole mixes fit, placed one after another (specification, section 11)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.placement.batch import each_best
from core.placement.capacity import capacity
from core.placement.demand import no_place
from core.placement.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.config.model import Configuration
    from core.fleet import Fleet
    from core.placement.request import Request

DEFAULT_MOST = 100_000
"""VMs that are placed before counting ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixCapacity:
    """How many whole mixes fit; None where nothing limits them. `capped` says that counting was ended, not the room.

    `by_host` counts the VMs of whole mixes on each host. `stopped_by` is the first request of the next mix that finds
    no host; `why` and `message` say why not.
    """

    mix: tuple[tuple[Request, int], ...]
    fits: int | None
    by_host: Mapping[str, int]
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
        raise UsageError("a mix has 1 VM or more")
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
    for host in reversed(taken):
        ledger.undo(host)
    return MixCapacity(
        mix=tuple(mix),
        fits=fits,
        by_host={ledger.hosts[host].name: count for host, count in sorted(Counter(taken[: fits * len(one)]).items())},
        stopped_by=stopped_by,
        why=why,
        message=message,
        capped=stopped_by is None,
    )
