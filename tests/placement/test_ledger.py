"""The quick ledger says what the plain engine says, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs import Use
from core.placement.engine.engine import place, rank
from core.placement.engine.ledger import Ledger
from core.placement.engine.tariff import Tariff
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import DEVICE_TYPES, configurations, cost_functions, fleets, requests
from tests.strategies import GIB as UNIT

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.costs import CostFunction
    from core.fleet.fleet import Fleet
    from core.placement.engine.request import Request

rich = settings(max_examples=80)


@rich
@given(
    cost_functions("cpu"),
    st.lists(st.tuples(*(st.integers(0, 60) for _ in range(3)), st.lists(st.integers(0, 3), min_size=3, max_size=3))),
)
def test_a_tariff_says_what_its_cost_function_says(
    function: CostFunction, uses: list[tuple[int, int, int, list[int]]]
) -> None:
    """For any use of any devices that the profile may list, remembered or not."""
    tariff = Tariff(function, DEVICE_TYPES)
    for vms, vcpus, memory, devices in uses * 2:
        expected = function.total(Use(vms, vcpus, memory * UNIT, dict(zip(DEVICE_TYPES, devices, strict=True))))
        assert tariff.total(vms, vcpus, memory * UNIT, devices).hex() == expected.hex()


@rich
@given(configurations(), fleets(), requests())
def test_a_ledger_ranks_hosts_as_the_plain_engine_does(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """The same hosts, costs before and after, in the same order."""
    ledger = Ledger(configuration, fleet)
    places = sorted(filter(None, (ledger.place(host, request) for host in ledger.candidates(request))))
    expected = [verdict for verdict in rank(configuration, fleet, request) if verdict.feasible]
    assert [ledger.hosts[host].name for *_, host in places] == [verdict.host for verdict in expected]
    assert [cost.hex() for cost, *_ in places] == [verdict.cost.total.hex() for verdict in expected]
    assert [ledger.hosts[host].cost for *_, host in places] == [verdict.before.total for verdict in expected]
    assert sorted(ledger.places(request)) == places
    assert ledger.best(request) == (places[0] if places else None)


@rich
@given(configurations(), fleets(), requests(), st.integers(1, 8))
def test_taking_in_a_ledger_is_placing(
    configuration: Configuration, fleet: Fleet, request: Request, count: int
) -> None:
    """One VM after another, devices included; verdicts afterwards are those of the plain engine."""
    plain = place(configuration, fleet, request, count)
    ledger = Ledger(configuration, fleet)
    for placement in plain.placements:
        best = ledger.best(request)
        assert best is not None
        assert (ledger.hosts[best[3]].name, best[0]) == (placement.host, placement.cost)
        assert ledger.take(best[3], request) == placement.devices
    if not plain.complete:
        assert ledger.best(request) is None
        for verdict in plain.stopped_by:
            assert ledger.verdict(ledger.index[verdict.host], request) == verdict


@rich
@given(configurations(), fleets(), requests())
def test_removing_restores_what_adding_changed(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """Costs are worked out from whole numbers, so nothing drifts."""
    ledger = Ledger(configuration, fleet)
    before = [(line.vms, line.vcpus, line.memory, list(line.devices), line.cost) for line in ledger.hosts]
    if (best := ledger.best(request)) is not None:
        devices = ledger.take(best[3], request)
        assert ledger.hosts[best[3]].cost == best[0]
        ledger.remove(best[3], request.vcpus, request.memory_bytes, devices)
    assert [(line.vms, line.vcpus, line.memory, list(line.devices), line.cost) for line in ledger.hosts] == before


def test_a_device_that_two_vms_claim_is_free_when_both_are_gone() -> None:
    """Not before."""
    first, second = (vm("g", name, devices=GPUS[:1]) for name in ("1", "2"))
    ledger = Ledger(CONFIGURATION, fleet(snapshot("g", first, second, profile="gpu-node")))
    free = [ledger.hosts[0].free("a100")]
    for gone in (first, second):
        ledger.remove(0, gone.vcpus, gone.memory_bytes, gone.devices)
        free.append(ledger.hosts[0].free("a100"))
    assert free == [[*GPUS[1:]], [*GPUS[1:]], [*GPUS]]
    assert ledger.hosts[0].memory == 0 * GIB
