"""How many more VMs of one request each host takes, worked out a little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.fleet import Fleet
from core.units import show_size
from tui.render.ages import Freshness, freshness
from tui.render.summary import plural

if TYPE_CHECKING:
    from core.clock import Clock
    from core.config.model import Configuration
    from core.fleet import HostSnapshot
    from core.placement.request import Request

MOST = 200
"""Beyond so many it doesn't matter how many more."""

STEP_SECONDS = 0.015
"""Time that one step may take: the screen is not held up."""


class Headroom:
    """Counts, host by host, and counts again only hosts of which something new was seen."""

    def __init__(self, clock: Clock) -> None:
        self.complete = True
        """Whether the last step got to every host."""
        self._clock = clock
        self._request: Request | None = None
        self._counted: dict[str, tuple[HostSnapshot, Freshness, int]] = {}

    def step(self, fleet: Fleet, configuration: Configuration, request: Request) -> dict[str, int]:
        """Count for some milliseconds; gives what is known so far, by host."""
        from core.placement.engine import place

        if request != self._request:
            self._request, self._counted = request, {}
        end = self._clock.monotonic() + STEP_SECONDS
        self.complete = True
        counted: dict[str, tuple[HostSnapshot, Freshness, int]] = {}
        for snapshot in fleet.hosts:
            worth = freshness(snapshot, fleet.taken, configuration.realms)
            before = self._counted.get(snapshot.name)
            if before is not None and before[0] is snapshot and before[1] is worth:
                counted[snapshot.name] = before
            elif self._clock.monotonic() <= end:
                placed = place(configuration, Fleet(fleet.taken, (snapshot,)), request, MOST).placed
                counted[snapshot.name] = (snapshot, worth, placed)
            else:
                self.complete = False
                if before is not None:
                    counted[snapshot.name] = before
        self._counted = counted
        return {name: count for name, (_, _, count) in counted.items()}


def in_words(request: Request) -> str:
    """Describe a request in a few words: "4 vCPUs, 8 GiB"."""
    parts = [plural(request.vcpus, "vCPU"), show_size(request.memory_bytes)]
    parts += [f"{count} {kind}" for kind, count in request.devices.items()]
    return ", ".join(parts)
