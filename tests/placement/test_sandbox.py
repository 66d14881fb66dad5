"""Changes in thought: applied, undone, compared, written down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.export import format_configuration
from core.config.reader import load
from core.config.settings import Setting
from core.errors import UsageError
from core.hosts import HostState
from core.placement.engine.engine import place, rank
from core.placement.engine.request import Request
from core.placement.what_if.changes import HostGone, HostInState, VMGone, VMMore
from core.placement.what_if.comparison import compare_rankings
from core.placement.what_if.sandbox import Sandbox
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration
    from core.fleet.fleet import Fleet
    from core.placement.engine.verdicts import Verdict

FLEET = fleet(
    snapshot("h1", vm("h1", "a", vcpus=8, gib=100)),
    snapshot("h2"),
    snapshot("h3", vm("h3", "b", devices=(GPUS[0],)), profile="gpu-node"),
)
REQUEST = Request(8, 64 * GIB)
VALID = replace(CONFIGURATION, hardware_profiles={
    name: profile for name, profile in CONFIGURATION.hardware_profiles.items() if name != "orphan"
})  # fmt: skip


def ranking(configuration: Configuration, of: Fleet) -> tuple[Verdict, ...]:
    """Rank the hosts for the request."""
    return rank(configuration, of, REQUEST)


def best(configuration: Configuration, of: Fleet) -> str:
    """Name the best host."""
    return ranking(configuration, of)[0].host


def test_changes_are_applied_one_after_another_and_undone_one_by_one() -> None:
    """Each step back is equal to what was there before it."""
    begin = Sandbox.of(VALID, FLEET)
    first = begin.with_changes(HostInState("h2", HostState.NO_SCHEDULING))
    second = first.with_changes(Setting.parse("cost-functions.cpu.offset=1000000"))
    third = second.with_changes(HostGone("h1"))
    assert [step.compare(best).after for step in (begin, first, second, third)] == ["h2", "h1", "h3", "h3"]
    assert [host.name for host in third.after.fleet.hosts] == ["h2", "h3"]
    assert (third.undo(), third.undo().undo(), third.undo().undo().undo()) == (second, first, begin)
    assert begin.undo() == begin
    assert third.before == begin.before
    assert FLEET.host("h2").host.state is HostState.ENABLED


def test_a_vm_more_and_a_vm_less_change_the_use() -> None:
    """With its devices, the first free ones."""
    box = Sandbox.of(VALID, FLEET)
    more = box.with_changes(VMMore("h3", Request(4, GIB, {"a100": 2})), VMMore("h3", Request(1, GIB)))
    use = more.after.fleet.host("h3").use(VALID.hardware_profiles["gpu-node"])
    assert (use.vms, use.vcpus, use.devices["a100"]) == (3, 6, 3)
    less = more.with_changes(VMGone(("h3", "h3-b"), "b"))
    assert less.after.fleet.host("h3").use(VALID.hardware_profiles["gpu-node"]).devices["a100"] == 2
    assert less.undo() == more


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (HostGone("h9"), "there is no host 'h9'"),
        (HostInState("h9", HostState.ENABLED), "there is no host 'h9'"),
        (VMGone(("h1", "nobody"), "web"), "h1 has no VM with UUID nobody"),
        (VMMore("h1", Request(1, GIB, {"a100": 1})), "h1 has 0 free a100"),
        (VMMore("h9", Request(1, GIB)), "there is no host 'h9'"),
        (Setting.parse("cost-functions.cpux.scale=1"), "unknown cost function 'cpux'"),
    ],
)
def test_what_can_not_be_changed_is_refused(change: object, message: str) -> None:
    """With what is not there."""
    with pytest.raises(UsageError, match=message):
        Sandbox.of(VALID, FLEET).with_changes(change)


def test_on_the_next_look_the_same_changes_are_made_again() -> None:
    """Those of what is gone by then are left out, and come back with it."""
    box = Sandbox.of(VALID, FLEET).with_changes(
        HostInState("h2", HostState.DISABLED), VMGone(("h1", "h1-a"), "a"), HostGone("h3")
    )
    later = box.on(fleet(snapshot("h1"), snapshot("h3"), snapshot("h4")))
    assert [host.name for host in later.after.fleet.hosts] == ["h1", "h4"]
    assert [host.name for host in later.before.fleet.hosts] == ["h1", "h3", "h4"]
    assert later.on(FLEET) == box


def test_any_question_is_answered_before_and_after() -> None:
    """Here how many VMs find a host."""
    box = Sandbox.of(VALID, FLEET).with_changes(HostGone("h2"))
    compared = box.compare(lambda configuration, of: place(configuration, of, REQUEST, 1000).placed)
    assert compared.differs
    assert compared.before - compared.after == 13


def test_rankings_are_compared_host_by_host() -> None:
    """Rank, cost, refusals, hosts that are gone."""
    box = Sandbox.of(VALID, FLEET).with_changes(
        HostGone("h2"), Setting.parse("cost-functions.gpu.memory={ curve: invalid }")
    )
    compared = box.compare(ranking)
    h1, h3, h2 = compare_rankings(compared.before, compared.after)
    assert (h1.rank_before, h1.rank_after, h1.differs) == (2, 1, True)
    assert (h3.rank_before, h3.rank_after, h3.differs) == (3, None, True)
    assert (h2.rank_before, h2.rank_after, h2.after, h2.differs) == (1, None, None, True)
    assert not any(host.differs for host in compare_rankings(compared.before, compared.before))


def test_changes_are_written_down_for_the_administrator(tmp_path: Path) -> None:
    """Settings as lines of HOCON that do the same, states of hosts as commands; VMs are nobody's configuration."""
    box = Sandbox.of(VALID, FLEET).with_changes(
        Setting.parse("cost-functions.cpu.memory={ curve: linear, slope: 1, base: 0 }"),
        Setting.parse("hardware-profiles.cpu-node.cores=64"),
        HostInState("h1", HostState.NO_SCHEDULING),
        HostGone("h2"),
        VMMore("h1", Request(1, GIB)),
    )
    assert box.hocon.endswith("# realms hosts no-scheduling h1\n# realms hosts remove h2\n")
    path = tmp_path / "ticrypt-vm.conf"
    path.write_text(format_configuration(VALID) + box.hocon)
    assert load(path) == box.after.configuration
    assert [str(change) for change in box.changes] == [
        "cost-functions.cpu.memory = { curve: linear, slope: 1, base: 0 }",
        "hardware-profiles.cpu-node.cores = 64",
        "h1 No Scheduling",
        "without h2",
        "a VM more on h1: 1 vCPU, 1 GiB",
    ]


@settings(max_examples=40, deadline=None)
@given(configurations(), fleets(), requests(), st.data())
def test_any_sequence_of_changes_is_undone_to_where_it_began(
    configuration: Configuration, of: Fleet, request: Request, data: st.DataObject
) -> None:
    """Step by step, and nothing that it began with is changed."""
    functions = sorted(configuration.cost_functions)
    steps = [Sandbox.of(configuration, of)]
    for _ in range(data.draw(st.integers(0, 4))):
        hosts = [host.name for host in steps[-1].after.fleet.hosts]
        choices = [st.builds(lambda name, scale: Setting.parse(f"cost-functions.{name}.scale={scale}"),
                             st.sampled_from(functions), st.integers(1, 9))]  # fmt: skip
        if hosts:
            choices.append(st.builds(HostInState, st.sampled_from(hosts), st.sampled_from(HostState)))
            choices.append(st.builds(HostGone, st.sampled_from(hosts)))
            choices.append(st.builds(VMMore, st.sampled_from(hosts), st.just(replace(request, devices={}))))
        vms = [VMGone(each.key, each.name) for each in steps[-1].after.fleet.vms()]
        if vms:
            choices.append(st.sampled_from(vms))
        steps.append(steps[-1].with_changes(data.draw(st.one_of(choices))))
    box = steps[-1]
    for step in reversed(steps):
        assert box == step
        box = box.undo()
    assert box == Sandbox.of(configuration, of)
    assert steps[-1].on(of) == steps[-1]


def test_several_vms_more_are_one_change() -> None:
    """As if each had been added by itself; in words their number stands first."""
    once = Sandbox.of(VALID, FLEET).with_changes(VMMore("h2", Request(2, GIB), 3))
    one_by_one = Sandbox.of(VALID, FLEET).with_changes(*[VMMore("h2", Request(2, GIB))] * 3)
    assert once.after.fleet == one_by_one.after.fleet
    assert [str(change) for change in once.changes] == ["3 VMs more on h2: each 2 vCPUs, 1 GiB"]
