"""Placing equal VMs by the quicker of two equal ways: one by one, or on arrays once loading NumPy pays."""

from core.config.model import Configuration
from core.fleet.fleet import Fleet
from core.placement.engine import engine
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placements, Verdict

ARRAYS_FROM = 50_000
"""VMs from which loading NumPy pays."""


def place(configuration: Configuration, fleet: Fleet, request: Request, count: int = 1) -> Placements:
    """Place `count` equal VMs one after another: what `engine.place` decides. Raises UsageError for less than 1."""
    if count < ARRAYS_FROM:
        return engine.place(configuration, fleet, request, count)
    from core.placement.arrays.packed import PackedFleet
    from core.placement.arrays.stream import Stream

    ledger = Ledger(configuration, fleet)
    verdicts = engine.rank(configuration, fleet, request)
    stream = Stream(PackedFleet(ledger), request, count)
    placements = stream.placements  # their devices are those that are free before the ledger takes them
    stopped_by: tuple[Verdict, ...] = ()
    if not stream.complete:
        stream.settle()
        hosts = (host for host, line in enumerate(ledger.hosts) if request.realm in (None, line.realm))
        stopped_by = engine.order(ledger.verdict(host, request) for host in hosts)
    return Placements(request=request, count=count, placements=placements, verdicts=verdicts, stopped_by=stopped_by)
