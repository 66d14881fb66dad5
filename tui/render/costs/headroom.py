"""How many more VMs of one request each host takes, worked out a little at a time."""

from dataclasses import replace

from core.clock import Clock
from core.config.model import Configuration
from core.fleet.fleet import Fleet, HostSnapshot
from core.placement.engine.request import Request
from core.text import plural
from core.units import show_size
from tui.render.ages import Freshness, freshness
from tui.render.cells import Piece, Tone
from tui.render.costs.refusals import why

MOST = 10_000
"""Beyond so many, or where nothing limits them, it doesn't matter how many more."""

STEP_SECONDS = 0.015
"""Time that one step may take: the screen is not held up."""

AT_ONCE = 16
"""Hosts that are counted together, between two looks at the clock."""


_Counted = tuple["HostSnapshot", Freshness, int]
"""A host as it was seen when it was counted, what that was worth, and how many fit."""


class Headroom:
    """Counts, host by host, and counts again only hosts of which something new was seen."""

    def __init__(self, clock: Clock) -> None:
        self.complete = True
        """Whether the last step got to every host."""
        self._clock = clock
        self._request: Request | None = None
        self._counted: dict[str, _Counted] = {}

    def step(self, fleet: Fleet, configuration: Configuration, request: Request) -> dict[str, int]:
        """Count for some milliseconds; gives what is known so far, by host."""
        if request != self._request:
            self._request, self._counted = request, {}
        counted: dict[str, _Counted] = {}
        anew: list[tuple[HostSnapshot, Freshness]] = []
        for snapshot in fleet.hosts:
            worth = freshness(snapshot, fleet.taken, configuration.realms)
            before = self._counted.get(snapshot.name)
            if before is not None:
                counted[snapshot.name] = before
            if before is None or before[0] is not snapshot or before[1] is not worth:
                anew.append((snapshot, worth))
        end = self._clock.monotonic() + STEP_SECONDS
        done = 0
        while done < len(anew) and self._clock.monotonic() <= end:
            some = anew[done : done + AT_ONCE]
            done += len(some)
            fits = count(configuration, Fleet(fleet.taken, tuple(snapshot for snapshot, _ in some)), request)
            counted |= {snapshot.name: (snapshot, worth, fits[snapshot.name]) for snapshot, worth in some}
        self.complete = done >= len(anew)
        self._counted = counted
        return {name: fits for name, (_, _, fits) in counted.items()}


def count(configuration: Configuration, fleet: Fleet, request: Request) -> dict[str, int]:
    """Count by host how many such VMs fit, MOST at most; none on hosts of another realm than the request's."""
    from core.placement.plans.capacity import capacity

    fits = dict.fromkeys((snapshot.name for snapshot in fleet.hosts), 0)
    for host in capacity(configuration, fleet, request).hosts:
        fits[host.host] = MOST if host.fits is None else min(host.fits, MOST)
    return fits


def room_line(configuration: Configuration, snapshot: HostSnapshot, now: float, request: Request) -> tuple[Piece, ...]:
    """Say how many more such VMs a host takes, and what stops the next: `17 more VMs of 4 vCPUs, 8 GiB; then ...`."""
    from core.placement.plans.capacity import capacity

    found = capacity(configuration, Fleet(now, (snapshot,)), replace(request, realm=None)).hosts[0]
    asked = in_words(request)
    stop = why(found.stopped_by) if found.stopped_by is not None else ""
    if found.fits is None:
        return ((f"any number of VMs of {asked}", Tone.PLAIN), (": nothing limits them", Tone.MUTED))
    if not found.fits:
        return ((f"no VM of {asked}", Tone.PLAIN), (f": {stop}", Tone.WARN))
    return ((f"{plural(found.fits, 'more VM')} of {asked}", Tone.PLAIN), (f"; the next: {stop}", Tone.MUTED))


def in_words(request: Request) -> str:
    """Describe a request in a few words: "4 vCPUs, 8 GiB"."""
    parts = [plural(request.vcpus, "vCPU"), show_size(request.memory_bytes)]
    parts += [f"{count} {kind}" for kind, count in request.devices.items()]
    return ", ".join(parts)
