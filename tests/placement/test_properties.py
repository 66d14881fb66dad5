"""What holds of placement whatever the configuration, the fleet and the request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.codes import Why
from core.costs import Use
from core.placement.engine.decision import decide
from core.placement.engine.engine import judge, place, put, rank, remove
from core.placement.engine.request import Request
from core.placement.engine.rows import placements_document
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from random import Random

    from core.config.model import Configuration
    from core.fleet.fleet import Fleet

rich = settings(max_examples=60)
"""Each example is a whole fleet."""


@rich
@given(configurations(), fleets(), requests())
def test_every_host_fits_or_is_refused_exactly_once(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """No host of the request's realms is left out, none is named twice."""
    verdicts = rank(configuration, fleet, request)
    asked = sorted(host.name for host in fleet.hosts if request.realm in (None, host.host.realm))
    assert sorted(verdict.host for verdict in verdicts) == asked
    for verdict in verdicts:
        assert verdict.feasible == (verdict.refusal is None)
        assert not (verdict.feasible and verdict.also)
        assert not (verdict.feasible and (verdict.cost is None or not verdict.cost.feasible))


@rich
@given(configurations(), fleets(), requests())
def test_verdicts_are_in_order(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """First those that can take the VM by cost, rise, VMs and name; then the refused by name."""
    keys = []
    for verdict in rank(configuration, fleet, request):
        if verdict.feasible:
            rise = verdict.cost.total - verdict.before.total
            keys.append((0, verdict.cost.total, rise, verdict.use.vms, verdict.host))
        else:
            keys.append((1, 0.0, 0.0, 0, verdict.host))
    assert keys == sorted(keys)


@rich
@given(configurations(), fleets(), requests())
def test_reasons_are_given_in_the_specified_order(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """The deciding one is the first that applies, further ones follow."""
    order = list(Why)
    for verdict in rank(configuration, fleet, request):
        places = [order.index(refusal.why) for refusal in verdict.reasons]
        assert places == sorted(places)
        assert all(str(refusal) for refusal in verdict.reasons)


@rich
@given(configurations(), fleets(), requests(), st.randoms(use_true_random=False))
def test_the_order_of_hosts_does_not_matter(
    configuration: Configuration, fleet: Fleet, request: Request, chance: Random
) -> None:
    """A shuffled fleet gives the same verdicts and the same placements."""
    hosts = list(fleet.hosts)
    chance.shuffle(hosts)
    shuffled = replace(fleet, hosts=tuple(hosts))
    assert place(configuration, shuffled, request, 3) == place(configuration, fleet, request, 3)


@rich
@given(configurations(bounded=True), fleets(), requests(), st.data())
def test_asking_for_less_never_loses_a_host(
    configuration: Configuration, fleet: Fleet, request: Request, data: st.DataObject
) -> None:
    """With cost functions that are finite from 0 up to a limit."""
    less = Request(
        vcpus=data.draw(st.integers(1, request.vcpus)),
        memory_bytes=data.draw(st.integers(1, request.memory_bytes)),
        devices={kind: data.draw(st.integers(0, count)) for kind, count in request.devices.items()},
        realm=request.realm,
        needs_drives_pool=request.needs_drives_pool and data.draw(st.booleans()),
    )
    able = {verdict.host for verdict in rank(configuration, fleet, request) if verdict.feasible}
    assert able <= {verdict.host for verdict in rank(configuration, fleet, less) if verdict.feasible}


@rich
@given(configurations(), fleets(), requests())
def test_the_total_is_what_the_cost_function_says(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """Before and after, and by the formula of the specification."""
    for verdict in rank(configuration, fleet, request):
        if verdict.use is None:
            assert (verdict.cost, verdict.before, verdict.terms) == (None, None, ())
            continue
        snapshot = fleet.host(verdict.host)
        profile = configuration.hardware_profiles[snapshot.host.profile]
        function = configuration.cost_function_of(profile)
        after = snapshot.use(profile) + Use(1, request.vcpus, request.memory_bytes, request.devices)
        assert verdict.cost.total == function.cost(after).total == function.total(after)
        assert verdict.before.total == function.total(snapshot.use(profile))


@rich
@given(configurations(), fleets(), requests())
def test_devices_are_free_ones_of_the_type_in_the_profile_s_order(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """The first free addresses of the profile's list, as many as asked for."""
    for verdict in rank(configuration, fleet, request):
        if not verdict.feasible:
            assert verdict.devices == ()
            continue
        snapshot = fleet.host(verdict.host)
        profile = configuration.hardware_profiles[snapshot.host.profile]
        held = snapshot.addresses_in_use()
        for kind, count in request.devices.items():
            free = [address for address in profile.addresses(kind) if address not in held]
            assert [address for address in verdict.devices if profile.type_of(address) == kind] == free[:count]
        assert len(verdict.devices) == sum(request.devices.values())


@rich
@given(configurations(), fleets(), requests(), st.integers(1, 12))
def test_no_address_is_given_twice(configuration: Configuration, fleet: Fleet, request: Request, count: int) -> None:
    """Neither to two of the VMs, nor one that an active VM or a reservation holds."""
    held = {(host.name, address) for host in fleet.hosts for address in host.addresses_in_use()}
    for placement in place(configuration, fleet, request, count).placements:
        for address in placement.devices:
            assert (placement.host, address) not in held
            held.add((placement.host, address))


@rich
@given(configurations(), fleets(), requests(), st.integers(1, 12))
def test_many_placements_equal_as_many_single_ones(
    configuration: Configuration, fleet: Fleet, request: Request, count: int
) -> None:
    """Each put into the fleet before the next is decided."""
    many = place(configuration, fleet, request, count)
    singles = []
    for number in range(1, count + 1):
        single = place(configuration, fleet, request, numbered_from=number)
        if not single.complete:
            assert many.stopped_by == single.verdicts
            break
        singles += single.placements
        fleet = put(fleet, single.placements[0])
    assert many.placements == tuple(singles)
    assert many.complete == (many.placed == count)
    assert not (many.complete and many.stopped_by)


@rich
@given(configurations(), fleets(), requests())
def test_placing_and_removing_restores_the_fleet(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """And what was decided for it."""
    placements = place(configuration, fleet, request)
    for placement in placements.placements:
        placed = put(fleet, placement)
        assert placed != fleet
        restored = remove(placed, placement)
        assert restored == fleet
        assert place(configuration, restored, request) == placements


@rich
@given(configurations(), fleets(), requests(), st.integers(1, 4))
def test_json_is_strict_and_names_what_it_leaves_out(
    configuration: Configuration, fleet: Fleet, request: Request, count: int
) -> None:
    """Neither NaN nor infinity; a number is null exactly where its state is not finite."""
    document = json.loads(json.dumps(placements_document(place(configuration, fleet, request, count)), allow_nan=False))
    for verdict in document["verdicts"]:
        assert (verdict["cost"] is None) == (verdict["cost_state"] != "finite")
        assert (verdict["before"] is None) == (verdict["before_state"] != "finite")
        assert (verdict["cost"] is not None) == verdict["feasible"] == (verdict["refusal"] is None)
        assert all((term["cost"] is None) != term["feasible"] for term in verdict["terms"])
        assert (verdict["before_state"] == "unknown") == (verdict["terms"] == [])


@rich
@given(configurations(), fleets(healthy=True), requests())
def test_one_verdict_alone_equals_that_of_the_ranking(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """Hosts are judged by themselves."""
    together = {verdict.host: verdict for verdict in rank(configuration, fleet, replace(request, realm=None))}
    assert {host.name: judge(configuration, fleet, request, host) for host in fleet.hosts} == together


@rich
@given(configurations(), fleets(healthy=True), requests())
def test_the_decision_names_the_first_two(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """And a part of the cost where the cost decides."""
    verdicts = rank(configuration, fleet, request)
    able = [verdict.host for verdict in verdicts if verdict.feasible]
    decision = decide(verdicts)
    assert (decision is None) == (len(able) < 2)
    if decision is not None:
        assert [decision.best, decision.next_best] == able[:2]
        assert (decision.part is not None) == (decision.margin > 0)
