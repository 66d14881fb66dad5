"""Which host is chosen, and how many VMs follow one another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.codes import DecidedBy
from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Constant, HardSoft, Linear, Piecewise
from core.errors import UsageError
from core.placement.engine.decision import decide
from core.placement.engine.engine import place, put, rank, with_vm, without_vm
from core.placement.engine.request import Request
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm


def chosen(configuration: Configuration, hosts: object, request: Request) -> list[str]:
    """Hosts that can take the VM, best first."""
    return [verdict.host for verdict in rank(configuration, hosts, request) if verdict.feasible]


def test_the_cost_after_placing_is_compared_and_not_the_rise() -> None:
    """A full cheap pool goes before an empty one with an offset, although the VM costs more there."""
    loaded = snapshot("cpu", vm("cpu", "big", vcpus=96, gib=800))
    empty = snapshot("gpu", profile="gpu-node")
    verdicts = rank(CONFIGURATION, fleet(empty, loaded), Request(1, GIB))
    assert [verdict.host for verdict in verdicts] == ["cpu", "gpu"]
    assert verdicts[0].rise > verdicts[1].rise


def test_an_offset_keeps_a_pool_free_until_the_other_is_full() -> None:
    """The specification's pool 2: the same function with 1000 on top."""
    pool1 = CostFunction(
        id="pool1",
        name="Pool 1",
        vms=Linear(slope=1.0, base=0.0),
        vcpus=HardSoft(soft=8.0, hard=16.0, soft_amt=4.0, hard_amt=32.0),
        memory=HardSoft(soft=16.0 * GIB, hard=32.0 * GIB, scale=10.0),
    )
    node = CONFIGURATION.hardware_profiles["cpu-node"]
    pools = Configuration(
        {"pool1": pool1, "pool2": replace(pool1, id="pool2", offset=1000.0)},
        {name: replace(node, id=name, cost_function=name) for name in ("pool1", "pool2")},
        CONFIGURATION.realms,
    )
    hosts = fleet(snapshot("a2", profile="pool2"), snapshot("b1", profile="pool1"), snapshot("c1", profile="pool1"))
    placements = place(pools, hosts, Request(4, 8 * GIB), 10)
    assert [placement.host for placement in placements.placements] == ["b1", "c1"] * 4 + ["a2"] * 2
    assert placements.placements[0].cost == 1.0 + 2.0 + 5.0
    assert placements.placements[-1].cost == 1000.0 + 2.0 + 4.0 + 10.0


def test_equal_costs_go_to_the_smaller_rise() -> None:
    """Both cost 10 afterwards; one cost 8 before, the other 9."""
    functions = {
        "far": CostFunction(id="far", name="far", vms=Linear(slope=2.0, base=8.0)),
        "near": CostFunction(id="near", name="near", vms=Linear(slope=1.0, base=9.0)),
    }
    node = CONFIGURATION.hardware_profiles["cpu-node"]
    configuration = Configuration(
        functions, {name: replace(node, cost_function=name) for name in functions}, CONFIGURATION.realms
    )
    hosts = fleet(snapshot("a", profile="far"), snapshot("b", profile="near"))
    verdicts = rank(configuration, hosts, Request(1, GIB))
    assert [verdict.host for verdict in verdicts] == ["b", "a"]
    assert decide(verdicts).decided_by is DecidedBy.RISE


def test_equal_costs_and_rises_go_to_fewer_vms_and_then_to_the_name() -> None:
    """A function that costs nothing leaves only these two."""
    free = CostFunction(id="cpu", name="free", vms=Constant(value=0.0))
    configuration = replace(CONFIGURATION, cost_functions={"cpu": free})
    hosts = fleet(snapshot("a", vm("a", "1")), snapshot("c"), snapshot("b"))
    verdicts = rank(configuration, hosts, Request(1, GIB))
    assert [verdict.host for verdict in verdicts] == ["b", "c", "a"]
    assert decide(verdicts).decided_by is DecidedBy.NAME
    assert decide(verdicts[1:]).decided_by is DecidedBy.VMS


def test_the_decision_names_the_part_in_which_the_best_host_gains_most() -> None:
    """Here the offset, and among equal functions the memory."""
    hosts = fleet(snapshot("gpu", profile="gpu-node"), snapshot("a"), snapshot("b", vm("b", "1", gib=400)))
    verdicts = rank(CONFIGURATION, hosts, Request(1, GIB))
    assert decide(verdicts).part == "memory"
    assert decide(verdicts).margin == verdicts[1].cost.total - verdicts[0].cost.total
    assert decide(verdicts[1:]).part == "offset"
    assert decide(verdicts[2:]) is None


def test_devices_come_in_the_profile_s_order() -> None:
    """Skipping what an active VM holds; what a VM that is off would like is free."""
    taken = vm("g", "1", devices=GPUS[1:2])
    off = vm("g", "2", devices=GPUS[:1], active=False)
    hosts = fleet(snapshot("g", taken, off, profile="gpu-node"))
    placements = place(CONFIGURATION, hosts, Request(1, GIB, {"a100": 1}), 3)
    assert [placement.devices for placement in placements.placements] == [GPUS[:1]]
    assert placements.stopped_by[0].refusal.message == (
        "devices.a100 infinite: 3 after placing is past the limit of 2; 1 too many"
    )


def test_a_host_that_was_infinite_before_can_become_the_best() -> None:
    """A function may forbid an empty host; no NaN comes of the rise."""
    odd = CostFunction(
        id="cpu", name="odd", vms=Piecewise(cutoff=0.0, low=Constant(value=1.0, max=-1.0), high=Constant(value=2.0))
    )
    configuration = replace(CONFIGURATION, cost_functions={"cpu": odd})
    verdict = rank(configuration, fleet(snapshot("a")), Request(1, GIB))[0]
    assert (verdict.feasible, verdict.cost.total, verdict.before_state, verdict.rise) == (True, 2.0, "infinite", None)
    assert place(configuration, fleet(snapshot("a")), Request(1, GIB), 2).placed == 2


def test_only_hosts_of_the_request_s_realm_are_asked() -> None:
    """Without a realm hosts of disabled and unknown realms are refused, not dropped."""
    hosts = fleet(snapshot("a"), snapshot("b", realm="old"), snapshot("c", realm="gone"))
    assert [verdict.host for verdict in rank(CONFIGURATION, hosts, Request(1, GIB, realm="main"))] == ["a"]
    everywhere = rank(CONFIGURATION, hosts, Request(1, GIB))
    assert [(verdict.host, verdict.feasible) for verdict in everywhere] == [("a", True), ("b", False), ("c", False)]


def test_an_empty_fleet_places_nothing() -> None:
    """And refuses nobody."""
    placements = place(CONFIGURATION, fleet(), Request(1, GIB), 3)
    assert (placements.placed, placements.complete, placements.verdicts) == (0, False, ())


def test_placing_no_vm_makes_no_sense() -> None:
    """A count is at least 1."""
    with pytest.raises(UsageError, match="at least 1"):
        place(CONFIGURATION, fleet(), Request(1, GIB), 0)


def test_an_overcommitted_fleet_stays_judged() -> None:
    """More in use than any cost function allows: the host is refused, the others go on."""
    hosts = fleet(snapshot("a", vm("a", "1", vcpus=500, gib=5000)), snapshot("b"))
    verdicts = rank(CONFIGURATION, hosts, Request(1, GIB))
    assert chosen(CONFIGURATION, hosts, Request(1, GIB)) == ["b"]
    assert verdicts[1].before_state == "infinite"
    assert [refusal.term for refusal in verdicts[1].reasons] == ["vcpus", "memory"]


def test_devices_that_the_profile_does_not_list_count_as_nothing() -> None:
    """And two VMs that claim one address use one device."""
    twice = (vm("g", "1", devices=GPUS[:1]), vm("g", "2", devices=GPUS[:1]))
    foreign = vm("c", "1", devices=GPUS[:1])
    hosts = fleet(snapshot("g", *twice, profile="gpu-node"), snapshot("c", foreign))
    able = {verdict.host: verdict for verdict in rank(CONFIGURATION, hosts, Request(1, GIB))}
    assert able["g"].use.devices == {"a100": 1}
    assert able["c"].use.devices == {}


def test_a_vm_can_be_put_once_and_removed_once() -> None:
    """Mistakes of a plan are found, not counted twice."""
    hosts = fleet(snapshot("a"))
    placement = place(CONFIGURATION, hosts, Request(1, GIB)).placements[0]
    placed = put(hosts, placement)
    with pytest.raises(ValueError, match="already"):
        put(placed, placement)
    with pytest.raises(ValueError, match="no VM"):
        without_vm(hosts, ("a", "1"))
    with pytest.raises(ValueError, match="no host"):
        with_vm(hosts, vm("b", "1"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"vcpus": 0}, "at least 1 vCPU, not 0"),
        ({"vcpus": 2**31}, "vCPU"),
        ({"memory_bytes": 0}, "1 byte of memory"),
        ({"memory_bytes": 2**63}, "below 2\\^63"),
        ({"devices": {"a100": -1}}, "at least 0 for type a100, not -1"),
        ({"devices": {"": 1}}, "needs a name"),
    ],
)
def test_a_request_that_no_vm_could_make_is_refused(fields: dict[str, object], problem: str) -> None:
    """Before any host is asked."""
    with pytest.raises(UsageError, match=problem):
        Request(**{"vcpus": 1, "memory_bytes": GIB, **fields})


def test_devices_asked_for_zero_times_are_not_asked_for() -> None:
    """So that two such requests are equal."""
    assert Request(1, GIB, {"a100": 0}) == Request(1, GIB)
    assert list(Request(1, GIB, {"nic": 1, "a100": 2}).devices) == ["a100", "nic"]
