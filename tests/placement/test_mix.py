"""Whole mixes are counted, and the quick way to place equal VMs is the plain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from core.placement.arrays import quick
from core.placement.engine.engine import place
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.batch import place_batch
from core.placement.plans.mix import capacity_of_mix
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


@settings(max_examples=60)
@given(configurations(), fleets(), st.lists(st.tuples(requests(), st.integers(1, 3)), min_size=1, max_size=3))
def test_so_many_mixes_are_really_placed_and_no_more(
    configuration: Configuration, fleet: Fleet, mix: list[tuple[Request, int]]
) -> None:
    """The largest VM of each mix first, one mix after another."""
    ledger = Ledger(configuration, fleet)
    found = capacity_of_mix(configuration, fleet, mix, most=60, ledger=ledger)
    one = [
        request
        for request, count in sorted(mix, key=lambda pair: (-pair[0].memory_bytes, -pair[0].vcpus, pair[0].key))
        for _ in range(count)
    ]
    assert [line.cost for line in ledger.hosts] == [line.cost for line in Ledger(configuration, fleet).hosts]
    if found.fits is None:
        assert place_batch(configuration, fleet, one * 3).placed == 3 * len(one)
        return
    assert place_batch(configuration, fleet, one * found.fits).refused == ()
    assert sum(found.by_host.values()) == found.fits * len(one)
    assert {host.host: host.vms for host in found.hosts if host.vms} == found.by_host
    assert [sum(counts) for counts in zip(*(host.counts for host in found.hosts), strict=True)] in (
        [],
        _of_each_size(mix, found.fits),
    )
    if not found.capped:
        refused = place_batch(configuration, fleet, one * (found.fits + 1)).refused
        assert refused[0].request == found.stopped_by
        assert (found.why, found.message) == (refused[0].why, refused[0].message)


def _of_each_size(mix: list[tuple[Request, int]], fits: int) -> list[int]:
    """Count the VMs of each size in so many mixes; where a size is in a mix twice the first has them all."""
    sizes: dict[object, int] = {}
    for request, count in mix:
        sizes[request.key] = sizes.get(request.key, 0) + count * fits
    return [sizes.pop(request.key, 0) for request, _ in mix]


def test_each_host_says_what_stops_the_next_mix_and_what_is_stranded() -> None:
    """Two VMs of one size and a large one: the third mix finds no place for the large one."""
    machines = fleet(snapshot("a"), snapshot("b"))
    mix = [(Request(1, GIB), 2), (Request(4, 400 * GIB), 1)]
    found = capacity_of_mix(CONFIGURATION, machines, mix)
    assert found.stopped_by == mix[1][0]
    assert [host.host for host in found.hosts] == ["a", "b"]
    assert all(host.stopped_by is not None and host.stopped_by.why == found.why for host in found.hosts)
    limit = 850 * GIB
    for host in found.hosts:
        used = sum(count * request.memory_bytes for count, (request, _) in zip(host.counts, mix, strict=True))
        assert host.left["memory"] == limit - used


def test_an_empty_mix_makes_no_sense() -> None:
    """Nor one of no VMs."""
    with pytest.raises(UsageError, match="at least 1 VM"):
        capacity_of_mix(CONFIGURATION, fleet(), [(Request(1, GIB), 0)])


@settings(max_examples=40)
@given(configurations(), fleets(), requests(), st.integers(1, 30))
def test_the_quick_way_is_the_plain_one(
    configuration: Configuration, fleet: Fleet, request: Request, count: int
) -> None:
    """Placements, verdicts, and what stops the next VM."""
    before, quick.ARRAYS_FROM = quick.ARRAYS_FROM, 1
    try:
        found = quick.place(configuration, fleet, request, count)
    finally:
        quick.ARRAYS_FROM = before
    assert found == place(configuration, fleet, request, count) == quick.place(configuration, fleet, request, count)


def test_the_quick_way_gives_devices_where_not_all_find_a_host() -> None:
    """More VMs that want a device than there are devices."""
    machine = fleet(snapshot("a", profile="gpu-node"))
    wanted = Request(1, GIB, devices={next(iter(CONFIGURATION.hardware_profiles["gpu-node"].device_types)): 1})
    before, quick.ARRAYS_FROM = quick.ARRAYS_FROM, 1
    try:
        found = quick.place(CONFIGURATION, machine, wanted, 100)
    finally:
        quick.ARRAYS_FROM = before
    assert found == place(CONFIGURATION, machine, wanted, 100)
    assert 0 < found.placed < 100
    assert all(len(placement.devices) == 1 for placement in found.placements)


def test_a_mix_stops_at_what_the_last_host_lacks() -> None:
    """Memory for the large one."""
    found = capacity_of_mix(CONFIGURATION, fleet(snapshot("a")), [(Request(1, GIB), 2), (Request(4, 400 * GIB), 1)])
    assert (found.fits, found.by_host, found.why, found.capped) == (2, {"a": 6}, "cost-infinite", False)
    assert found.stopped_by == Request(4, 400 * GIB)
