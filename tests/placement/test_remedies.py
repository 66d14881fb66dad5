"""What would make a refused host take a VM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from core.codes import Why
from core.costs import CostFunction
from core.curves import INFINITY, Constant, HardSoft, Invalid, Linear, Piecewise, Unavailable
from core.fleet.fleet import Connection, HostSnapshot, PoolState
from core.hosts import HostState
from core.placement.engine.engine import judge, without_vm
from core.placement.engine.finite_inputs import largest_finite_input
from core.placement.engine.remedies import Remedy, remedy
from core.placement.engine.request import Request
from core.placement.engine.rows import remedy_row
from core.reservations import Reservation
from tests.curve_strategies import AMOUNTS, curves
from tests.placement.world import CONFIGURATION, GIB, GPUS, NOW, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.curves import Curve
    from core.fleet.fleet import Fleet

GPU_FULL = snapshot(
    "h", vm("h", "a", gib=4, devices=(GPUS[0],)), vm("h", "b", gib=8, devices=(GPUS[1],)), profile="gpu-node"
)


def of(host: HostSnapshot, request: Request, configuration: Configuration = CONFIGURATION) -> Remedy | None:
    """Ask for the remedy of a host alone."""
    return remedy(configuration, fleet(host), request, host)


def test_a_host_that_takes_the_vm_needs_nothing() -> None:
    """There is no remedy."""
    assert of(snapshot("h"), Request(1, GIB)) is None


def test_missing_memory_is_told_to_the_byte() -> None:
    """What must go, what may be asked instead, and the smallest VM whose going is enough."""
    host = snapshot("h", vm("h", "small", gib=20), vm("h", "middle", gib=61), vm("h", "big", gib=720))
    found = of(host, Request(8, 64 * GIB + 1))
    assert (found.first, found.fits_then) == ((), False)
    assert found.free == {"memory": 15 * GIB + 1}
    assert found.ask == Request(8, 49 * GIB)
    assert found.move.name == "small"


def test_where_no_single_vm_is_enough_none_is_named() -> None:
    """Several would have to go."""
    host = snapshot("h", *(vm("h", f"v{number}", gib=50) for number in range(17)))
    found = of(host, Request(1, 64 * GIB))
    assert (found.free, found.move) == ({"memory": 64 * GIB}, None)


def test_several_terms_must_all_give_way() -> None:
    """Memory and vCPUs are both too much."""
    host = snapshot("h", vm("h", "a", vcpus=100, gib=800), vm("h", "b", vcpus=28, gib=40))
    found = of(host, Request(4, 20 * GIB))
    assert found.free == {"vcpus": 4, "memory": 10 * GIB}
    assert found.move.name == "b"
    assert found.ask is None  # not one vCPU is left


def test_a_device_of_the_request_can_be_dropped_or_one_be_freed() -> None:
    """Two of three are in use, and the curve ends at two."""
    found = of(GPU_FULL, Request(1, GIB, {"a100": 2}))
    assert found.free == {"devices.a100": 2}
    assert found.ask == Request(1, GIB)
    assert found.move is None
    one = of(GPU_FULL, Request(1, GIB, {"a100": 1}))
    assert (one.free, one.move.name) == ({"devices.a100": 1}, "a")


def test_a_host_that_has_no_such_device_can_only_be_asked_without() -> None:
    """Nothing that goes from it makes one."""
    found = of(snapshot("h", vm("h", "a")), Request(1, GIB, {"a100": 1}))
    assert (found.free, found.move, found.ask) == (None, None, Request(1, GIB))


@pytest.mark.parametrize(
    ("host", "whys"),
    [
        (snapshot("h", state=HostState.DISABLED, connection=Connection.OFF), [Why.HOST_DISABLED, Why.NOT_CONNECTED]),
        (snapshot("h", state=HostState.NO_SCHEDULING), [Why.NO_SCHEDULING]),
        (snapshot("h", realm="old"), [Why.REALM_DISABLED]),
        (snapshot("h", realm="gone"), [Why.UNKNOWN_REALM]),
        (snapshot("h", connection=Connection.UNREACHABLE, observed_at=NOW - 60), [Why.NOT_CONNECTED]),
        (snapshot("h", observed_at=NOW - 60), [Why.STALE]),
        (snapshot("h", pools={"ticrypt-vm": PoolState.INACTIVE}), [Why.POOL_MISSING]),
    ],
)
def test_reasons_by_state_come_first_and_what_was_last_seen_tells_the_rest(host: HostSnapshot, whys: list[Why]) -> None:
    """It fits then; or not, and how that could be mended is told all the same."""
    found = of(host, Request(1, GIB))
    assert ([reason.why for reason in found.first], found.fits_then) == (whys, True)
    full = replace(host, vms=(vm("h", "a", gib=849),))
    found = of(full, Request(1, 2 * GIB))
    assert ([reason.why for reason in found.first], found.fits_then) == (whys, False)
    assert (found.free, found.move.name) == ({"memory": GIB}, "a")


def test_of_an_unknown_use_nothing_is_claimed() -> None:
    """Neither where the host never answered, nor where its profile is not defined."""
    for host in (snapshot("h", connection=Connection.CONNECTING, observed_at=None), snapshot("h", profile="nobody")):
        found = of(host, Request(1, GIB))
        assert (found.fits_then, found.free, found.ask, found.move) == (None, None, None, None)


def test_a_reservation_can_not_be_moved_away() -> None:
    """Its room is counted, but there is no VM yet."""
    promised = Reservation(uuid="r", vm="r", host="h", vcpus=1, memory_bytes=849 * GIB, taken_at=NOW)
    found = of(snapshot("h", vm("h", "a"), reservations=(promised,)), Request(1, 2 * GIB))
    assert (found.free, found.move) == ({"memory": 2 * GIB}, None)


def test_where_only_another_configuration_helps_no_way_is_named() -> None:
    """A curve that is infinite everywhere."""
    broken = replace(CONFIGURATION.cost_functions["cpu"], memory=Invalid())
    configuration = replace(CONFIGURATION, cost_functions={**CONFIGURATION.cost_functions, "cpu": broken})
    found = of(snapshot("h", vm("h", "a")), Request(1, GIB), configuration)
    assert (found.fits_then, found.free, found.ask, found.move) == (False, None, None, None)


def test_a_stretch_of_finite_costs_beyond_an_infinite_one_is_found() -> None:
    """Less is not always better: 8 GiB or less is refused by this curve, and more than 16 too."""
    odd = Piecewise(cutoff=8.0 * GIB, low=Invalid(), high=Linear(slope=0.0, base=1.0, max=16.0 * GIB))
    function = CostFunction(id="cpu", name="odd", memory=odd)
    configuration = replace(CONFIGURATION, cost_functions={**CONFIGURATION.cost_functions, "cpu": function})
    host = snapshot("h", vm("h", "a", gib=14))
    found = of(host, Request(1, 6 * GIB), configuration)
    assert (found.free, found.ask.memory_bytes, found.move) == ({"memory": 4 * GIB}, 2 * GIB, None)


@pytest.mark.parametrize(
    ("curve", "least", "most", "expected"),
    [
        (HardSoft(soft=1.0, hard=10.5), 0, 100, 10),
        (HardSoft(soft=1.0, hard=10.5), 11, 100, None),
        (Unavailable(), 0, 5, 0),
        (Unavailable(), 1, 5, None),
        (Invalid(), 0, 5, None),
        (Constant(value=1.0), 0, 5, 5),
        (Constant(value=1.0, max=-1.0), 0, 5, None),
        (Constant(value=1.0), 3, 2, None),
        (Linear(slope=1e308, base=0.0), 0, 100, 1),
        (Linear(slope=1.0, base=0.0, max=2.0**62), 0, 2**63 - 1, 2**62 + 2**9),
        (Piecewise(cutoff=5.0, low=Unavailable(), high=Invalid()), 0, 9, 0),
    ],
)
def test_the_largest_finite_input_is_exact(curve: Curve, least: int, most: int, expected: int | None) -> None:
    """To the last unit; above 2^53 that is the last number that becomes the limit when it is made a double."""
    assert largest_finite_input(curve, least, most) == expected


@given(curves(), AMOUNTS, AMOUNTS)
def test_the_largest_finite_input_is_finite_and_the_next_is_not(curve: Curve, one: int, other: int) -> None:
    """Whatever the curve."""
    least, most = sorted((one, other))
    found = largest_finite_input(curve, least, most)
    if found is None:
        assert curve.cost(least) == INFINITY
        assert curve.cost(most) == INFINITY
    else:
        assert least <= found <= most
        assert curve.cost(found) != INFINITY
        assert found == most or curve.cost(found + 1) == INFINITY


@settings(max_examples=150)
@given(configurations(), fleets(), requests())
def test_every_remedy_works_and_is_the_smallest(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """Carried out, the host takes the VM; with one unit less, it doesn't."""
    for host in fleet.hosts:
        found = remedy(configuration, fleet, request, host)
        verdict = judge(configuration, fleet, request, host)
        assert (found is None) == verdict.feasible
        if found is None:
            continue
        assert remedy_row(found)["host"] == host.name
        if found.first:
            continue  # the same on the same host, once what stands in the way by state is gone
        assert found.fits_then is False
        function = configuration.cost_functions[configuration.hardware_profiles[host.host.profile].cost_function]
        if found.ask is not None:
            assert judge(configuration, fleet, found.ask, host).feasible
            assert found.ask != request
        if found.move is not None and not any(each.uuid == found.move.uuid for each in host.reservations):
            gone = without_vm(fleet, found.move.key)
            assert judge(configuration, gone, request, gone.host(host.name)).feasible
        for attribute, amount in (found.free or {}).items():
            term = next(term for term in verdict.terms if term.attribute == attribute)
            kind = attribute.removeprefix("devices.")
            short = sum(reason.needed - reason.available for reason in verdict.reasons
                        if reason.why is Why.NO_FREE_DEVICE and reason.term == attribute)  # fmt: skip
            curve = function.devices.get(kind, Unavailable()) if kind != attribute else term.curve
            assert curve.cost(term.input - amount) != INFINITY
            assert amount == short or curve.cost(term.input - amount + 1) == INFINITY
