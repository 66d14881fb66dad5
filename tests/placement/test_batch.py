"""A batch is placed as the plain engine would place its requests one after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs import CostFunction
from core.curves import HardSoft, Linear
from core.placement.arrays import mixture
from core.placement.arrays.mixture import each_best_on_arrays
from core.placement.engine.engine import place, put
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.batch import BatchOrder, compare_orders, place_batch
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet

rich = settings(max_examples=80)
batches = st.lists(requests(), min_size=1, max_size=4).flatmap(
    lambda sizes: st.lists(st.sampled_from(sizes), min_size=1, max_size=12)
)


@rich
@given(configurations(), fleets(), batches)
def test_a_batch_is_placed_one_by_one(configuration: Configuration, fleet: Fleet, batch: list[Request]) -> None:
    """By the plain engine, on the fleet with those before already there; refusals name a reason."""
    plan = place_batch(configuration, fleet, batch)
    expected, refused = [], []
    for number, request in enumerate(batch, 1):
        found = place(configuration, fleet, request, numbered_from=number)
        if found.complete:
            expected += found.placements
            fleet = put(fleet, found.placements[0])
        else:
            refused.append(number)
    assert plan.placements == tuple(expected)
    assert [each.number for each in plan.refused] == refused
    assert all(each.why and each.message for each in plan.refused)


@rich
@given(configurations(), fleets(), batches, st.booleans())
def test_arrays_decide_as_asking_host_by_host_does(
    configuration: Configuration, fleet: Fleet, batch: list[Request], few: bool
) -> None:
    """Whether all sizes are kept at hand or all hosts are asked each time."""
    slow, quick = Ledger(configuration, fleet), Ledger(configuration, fleet)
    most = mixture._MOST_SIZES
    try:
        mixture._MOST_SIZES = most if few else 0
        found = list(each_best_on_arrays(quick, batch))
    finally:
        mixture._MOST_SIZES = most
    for request, (best, devices) in zip(batch, found, strict=True):
        assert best == slow.best(request)
        if best is not None:
            assert devices == slow.take(best[3], request)
    assert [line.cost for line in quick.hosts] == [line.cost for line in slow.hosts]


@rich
@given(configurations(), fleets(max_hosts=2), batches, st.integers(2, 6), st.sampled_from((1, 3, 256)))
def test_arrays_decide_among_many_equal_hosts(
    configuration: Configuration, seen: Fleet, batch: list[Request], copies: int, most: int
) -> None:
    """Hosts of one cost are queued a few at a time; costs that fall or stay as they were put an end to a queue."""
    hosts = tuple(
        replace(each, host=replace(each.host, name=f"{each.name}-{copy}"))
        for each in seen.hosts
        for copy in range(copies)
    )
    crowd, batch = replace(seen, hosts=hosts), batch * 4
    slow, quick = Ledger(configuration, crowd), Ledger(configuration, crowd)
    queued = mixture._MOST_QUEUED
    try:
        mixture._MOST_QUEUED = most
        found = list(each_best_on_arrays(quick, batch))
    finally:
        mixture._MOST_QUEUED = queued
    for request, (best, devices) in zip(batch, found, strict=True):
        assert best == slow.best(request)
        if best is not None:
            assert devices == slow.take(best[3], request)


@pytest.mark.parametrize(
    ("slope", "memory"), [(0.0, None), (-1.0, None), (1.0, None), (-1.0, HardSoft(soft=4.0 * GIB, hard=64.0 * GIB))]
)
def test_arrays_decide_on_flat_and_falling_costs(slope: float, memory: HardSoft | None) -> None:
    """Where a host that has just taken a VM is as good as it was, or better."""
    flat = CostFunction(id="cpu", name="", vms=Linear(slope=slope, base=9.0), memory=memory)
    configuration = replace(CONFIGURATION, cost_functions={"cpu": flat})
    hosts = fleet(*(snapshot(f"h{number:02}") for number in range(12)))
    batch = [Request(1 + number % 3, (1 + number * number % 5) * GIB) for number in range(150)]
    slow, quick = Ledger(configuration, hosts), Ledger(configuration, hosts)
    for request, (best, _) in zip(batch, each_best_on_arrays(quick, batch), strict=True):
        assert best == slow.best(request)
        if best is not None:
            slow.take(best[3], request)


def test_a_large_batch_goes_by_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends as the other way does."""
    hosts = fleet(*(snapshot(f"h{number:02}") for number in range(20)))
    batch = [Request(1 + number % 3, (1 + number % 5) * 40 * GIB) for number in range(150)]
    by_hosts = place_batch(CONFIGURATION, hosts, batch)
    monkeypatch.setattr("core.placement.plans.batch._ARRAYS_FROM", 1)
    assert place_batch(CONFIGURATION, hosts, batch) == by_hosts


def test_the_largest_first_fit_better() -> None:
    """Small ones that came first leave no host whole."""
    hosts = fleet(snapshot("a"), snapshot("b"))
    batch = [Request(1, 400 * GIB), Request(1, 400 * GIB), Request(1, 800 * GIB)]
    found = compare_orders(CONFIGURATION, hosts, batch)
    assert (found.arrival.placed, found.largest_first.placed, found.more_placed) == (2, 3, 1)
    assert [each.number for each in found.arrival.refused] == [3]
    assert found.moved == (1, 3)
    assert found.largest_first.order is BatchOrder.LARGEST_FIRST
    assert (found.arrival.hosts_used, found.arrival.highest) == (2, CONFIGURATION.cost_functions["cpu"].total(
        Request(1, 400 * GIB).use
    ))  # fmt: skip
