"""Every reason against a host, with its words and numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.codes import Why
from core.costs import CostFunction
from core.curves import Constant, HardSoft, Invalid, Linear, Piecewise
from core.fleet.fleet import Connection, HostSnapshot, PoolState
from core.hosts import HostState
from core.placement.engine.engine import judge
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Refusal, Verdict
from core.reservations import Reservation
from tests.placement.world import CONFIGURATION, GIB, GPUS, NOW, fleet, snapshot, vm

if TYPE_CHECKING:
    from core.config.model import Configuration


def verdict(
    host: HostSnapshot, request: Request | None = None, configuration: Configuration = CONFIGURATION
) -> Verdict:
    """Judge a host alone, for a small VM if no other is given."""
    return judge(configuration, fleet(host), request or Request(1, GIB), host)


@pytest.mark.parametrize(
    ("host", "why", "message"),
    [
        (snapshot("h", realm="gone"), Why.UNKNOWN_REALM, "realm gone is not in the configuration"),
        (snapshot("h", realm="old"), Why.REALM_DISABLED, "realm old is disabled"),
        (snapshot("h", state=HostState.DISABLED), Why.HOST_DISABLED, "the host is disabled"),
        (snapshot("h", state=HostState.NO_SCHEDULING), Why.NO_SCHEDULING, "the host is set to No Scheduling"),
        (
            snapshot("h", connection=Connection.UNREACHABLE, observed_at=NOW - 48, error="refused\n at\x1b[31m h"),
            Why.NOT_CONNECTED,
            "unreachable: refused at\N{REPLACEMENT CHARACTER}[31m h; last seen 48 s ago",
        ),
        (
            snapshot("h", connection=Connection.CONNECTING, observed_at=None),
            Why.NOT_CONNECTED,
            "still connecting",
        ),
        (snapshot("h", observed_at=None), Why.NOT_CONNECTED, "connected, but it has not answered yet"),
        (
            snapshot("h", observed_at=NOW - 16),
            Why.STALE,
            "last answer 16 s ago: past 15 s its data are too old for placement",
        ),
        (
            snapshot("h", profile="nobody"),
            Why.UNKNOWN_PROFILE,
            "hardware profile nobody is not in the configuration",
        ),
        (
            snapshot("h", profile="orphan"),
            Why.UNKNOWN_PROFILE,
            "hardware profile orphan names cost function gone, which is not defined",
        ),
        (
            snapshot("h", pools={"ticrypt-vm": PoolState.INACTIVE}),
            Why.POOL_MISSING,
            "volumes pool ticrypt-vm is inactive",
        ),
        (snapshot("h", pools={}), Why.POOL_MISSING, "volumes pool ticrypt-vm is missing"),
    ],
)
def test_reasons_by_state_have_words_and_no_numbers(host: HostSnapshot, why: Why, message: str) -> None:
    """One at a time."""
    assert verdict(host).reasons == (Refusal(why, message),)


def test_data_are_too_old_only_past_three_polls() -> None:
    """Exactly 15 seconds are not past 15 seconds; data from the future are new."""
    assert verdict(snapshot("h", observed_at=NOW - 15.0)).feasible
    assert not verdict(snapshot("h", observed_at=NOW - 15.001)).feasible
    assert verdict(snapshot("h", observed_at=NOW + 60)).feasible


def test_all_reasons_are_kept_in_order() -> None:
    """The first that applies decides."""
    host = snapshot(
        "h",
        vm("h", "1", devices=GPUS),
        profile="gpu-node",
        realm="old",
        state=HostState.NO_SCHEDULING,
        pools={"ticrypt-vm-drives": PoolState.MISSING},
    )
    found = verdict(host, Request(1, 1000 * GIB, {"a100": 1}, needs_drives_pool=True))
    assert [refusal.why for refusal in found.reasons] == [
        Why.REALM_DISABLED,
        Why.NO_SCHEDULING,
        Why.NO_FREE_DEVICE,
        Why.COST_INFINITE,
        Why.COST_INFINITE,
        Why.POOL_MISSING,
        Why.POOL_MISSING,
    ]
    assert found.refusal is not None
    assert found.also == found.reasons[1:]


@pytest.mark.parametrize(
    "host",
    [
        snapshot("h", connection=Connection.UNREACHABLE),
        snapshot("h", observed_at=None),
        snapshot("h", observed_at=NOW - 60),
        snapshot("h", profile="nobody"),
    ],
)
def test_where_the_use_is_unknown_there_is_no_cost(host: HostSnapshot) -> None:
    """Neither terms nor devices nor pools are judged by what may be long gone."""
    found = verdict(replace(host, pools={}), Request(1000, GIB, {"a100": 1}))
    assert (found.use, found.cost, found.before, found.terms) == (None, None, None, ())
    assert (found.cost_state, found.before_state) == ("unknown", "unknown")
    assert Why.COST_INFINITE not in {refusal.why for refusal in found.reasons}


def test_too_few_free_devices_name_both_numbers() -> None:
    """Reserved ones are not free."""
    promise = Reservation(uuid="u", vm="new", host="h", vcpus=1, memory_bytes=GIB, devices=GPUS[:1], taken_at=NOW)
    host = snapshot("h", vm("h", "1", devices=GPUS[1:2]), profile="gpu-node", reservations=(promise,))
    found = verdict(host, Request(1, GIB, {"a100": 2}))
    assert found.refusal == Refusal(Why.NO_FREE_DEVICE, "asked for 2 a100, 1 free", "devices.a100", 2, 1)
    assert found.also == (
        Refusal(
            Why.COST_INFINITE,
            "devices.a100 infinite: 4 after placing is past the limit of 2; 2 too many",
            "devices.a100",
            4,
            2,
        ),
    )


def test_a_type_that_nobody_knows_is_refused_for_both_reasons() -> None:
    """The profile has none, and the cost function has no curve for it."""
    found = verdict(snapshot("h"), Request(1, GIB, {"fpga": 1}))
    assert [str(refusal) for refusal in found.reasons] == [
        "asked for 1 fpga, 0 free: hosts with this profile have none",
        "devices.fpga infinite: cost function cpu has no curve for fpga",
    ]
    assert [(term.attribute, term.input, term.feasible) for term in found.terms][-1] == ("devices.fpga", 1, False)


def test_infinite_memory_is_told_in_gib() -> None:
    """With what is too much."""
    found = verdict(snapshot("h", vm("h", "1", gib=790)), Request(1, 64 * GIB))
    assert found.reasons == (
        Refusal(
            Why.COST_INFINITE,
            "memory infinite: 854 GiB after placing is past the limit of 850 GiB; 4 GiB too much",
            "memory",
            854 * GIB,
            850 * GIB,
        ),
    )


def test_a_little_too_much_memory_does_not_read_as_equal() -> None:
    """One byte past the limit."""
    found = verdict(snapshot("h", vm("h", "1", gib=850)), Request(1, 1))
    assert str(found.refusal) == (
        "memory infinite: 850 GiB after placing is just past the limit of 850 GiB; 1 B too much"
    )


def _with(**curves: object) -> Configuration:
    return replace(CONFIGURATION, cost_functions={"cpu": CostFunction(id="cpu", name="cpu", **curves)})


def test_without_a_single_limit_only_the_input_is_told() -> None:
    """Infinite everywhere, or with a gap."""
    gap = Piecewise(cutoff=4.0, low=Constant(value=1.0, max=2.0), high=Constant(value=1.0))
    for curve in (Invalid(), gap):
        found = verdict(snapshot("h"), Request(3, GIB), _with(vcpus=curve))
        assert found.refusal == Refusal(Why.COST_INFINITE, "vcpus infinite at 3 after placing", "vcpus", 3, None)


def test_an_overflow_within_the_limit_is_not_blamed_on_the_limit() -> None:
    """The curve allows the input, its arithmetic does not."""
    curve = HardSoft(soft=10.0, hard=20.0, soft_amt=1e308, scale=1e10)
    found = verdict(snapshot("h"), Request(5, GIB), _with(vcpus=curve))
    assert found.refusal == Refusal(Why.COST_INFINITE, "vcpus infinite at 5 after placing", "vcpus", 5, None)


def test_a_sum_that_overflows_is_the_total_s_fault() -> None:
    """Each term is finite."""
    huge = Constant(value=1.7e308)
    found = verdict(snapshot("h"), Request(1, GIB), _with(vms=huge, vcpus=huge))
    assert found.cost_state == "infinite"
    assert [(refusal.why, refusal.term, refusal.needed) for refusal in found.reasons] == [
        (Why.COST_INFINITE, "total", None)
    ]


def test_a_vm_with_drives_needs_the_drives_pool_too() -> None:
    """Pools that nobody looked at are there."""
    host = snapshot("h", pools={"ticrypt-vm": PoolState.ACTIVE})
    assert verdict(host).feasible
    found = verdict(host, Request(1, GIB, needs_drives_pool=True))
    assert found.reasons == (Refusal(Why.POOL_MISSING, "drives pool ticrypt-vm-drives is missing"),)
    assert verdict(replace(host, pools=None), Request(1, GIB, needs_drives_pool=True)).feasible


def test_a_refused_host_still_tells_what_it_would_cost() -> None:
    """For what-if: the terms are those after placing."""
    found = verdict(snapshot("h", state=HostState.NO_SCHEDULING), configuration=_with(vms=Linear(slope=2.0, base=1.0)))
    assert (found.cost.total, found.before.total, found.rise) == (3.0, 1.0, 2.0)
    assert found.devices == ()
