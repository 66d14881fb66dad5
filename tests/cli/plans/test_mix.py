"""`realms plan capacity --mix`, as one types it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.placement.engine.request import Request
from core.placement.plans.mix import capacity_of_mix
from core.placement.plans.rows import mix_document
from tests.cli.program import lines, plan
from tests.cli.saved_fleet import GIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

MIX = ("--mix", "3=8,64GiB", "--mix", "1=16,128GiB,a100=1")


def test_a_mix_of_sizes_is_counted_as_a_whole(run: Run) -> None:
    """The document is what the pure function says; a host's `fits` counts its VMs, in the contract's shape."""
    outcome = plan(run, "capacity", *MIX, "--json")
    assert (outcome.code, outcome.json["total"], outcome.json["total_vms"], outcome.json["unbounded"]) == (
        0, 1, 4, False,
    )  # fmt: skip
    hosts = {host["host"]: host for host in outcome.json["hosts"]}
    assert {name: host["fits"] for name, host in hosts.items() if host["fits"]} == {"h1": 3, "h3": 1}
    assert (hosts["h1"]["counts"], hosts["h1"]["left"]) == ([3, 0], {"vcpus": 64, "memory": 322 * GIB})
    assert hosts["h1"]["stopped_by"]["why"] == "no-free-device"
    assert hosts["h3"]["stopped_by"]["term"] == "devices.a100"
    assert outcome.json["stopped_by"]["request"]["devices"] == {"a100": 1}
    sizes = [(Request(8, 64 * GIB), 3), (Request(16, 128 * GIB, {"a100": 1}), 1)]
    found = capacity_of_mix(load(Path("ticrypt-vm.conf")), load_file(Path("fleet.json")), sizes)
    assert outcome.json == {**mix_document(found), "hosts_answering": 5, "hosts_total": 6}


def test_a_mix_in_words(run: Run) -> None:
    """How many, where, how many of each size, and what ends the next."""
    told = lines(plan(run, "capacity", *MIX))
    assert told[0] == (
        "3 x (8 vCPUs, 64 GiB) + 1 x (16 vCPUs, 128 GiB, 1 a100): 1 whole mix fits (4 VMs), on 2 of 6 hosts"
    )
    assert told[1] == "The next mix fails at 16 vCPUs, 128 GiB, 1 a100: no host can take it"
    assert any(line.startswith("h1 3 3 + 0 asked for 1 a100") for line in told)


def test_a_mix_that_does_not_fit_is_a_no(run: Run) -> None:
    """Not one whole mix."""
    outcome = plan(run, "capacity", "--mix", "2=8,900GiB")
    assert (outcome.code, lines(outcome)[0]) == (
        1, "2 x (8 vCPUs, 900 GiB): no whole mix fits (6 hosts asked)",
    )  # fmt: skip


def test_a_mix_is_counted_with_changes_and_without(run: Run) -> None:
    """The host that is taken away had some of them."""
    outcome = plan(run, "capacity", "--mix", "1=8,64GiB", "--without", "h1")
    assert "Without the changes: 20 whole mixes; with them: 12 whole mixes" in lines(outcome)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vcpus", "2"), "Missing option '--memory'"),
        (("--memory", "2 GiB"), "Missing option '--vcpus'"),
        (("--mix", "1=8,64GiB", "--vcpus", "2"), "--mix defines all VMs"),
        (("--mix", "8,64GiB"), "is not a number of VMs"),
        (("--mix", "99999=8,64GiB"), "a mix can have at most 10000 VMs"),
        (("--mix", "1=many,64GiB"), "is not a number of VMs of a size: use N=VCPUS,SIZE"),
    ],
)
def test_what_says_no_size_is_refused(run: Run, arguments: tuple[str, ...], message: str) -> None:
    """As wrong usage."""
    outcome = plan(run, "capacity", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
