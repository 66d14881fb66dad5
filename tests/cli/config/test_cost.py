"""`realms cost`, as one types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

USE = ("--vms", 3, "--vcpus", 20, "--memory", "64 GiB")


def test_the_document_is_the_contract_s(run: Run) -> None:
    """Every term before the scale, absent curves as null."""
    outcome = run("cost", "--function", "gpu", *USE, "--device", "a100=2", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json == {
        "function": "gpu",
        "feasible": True,
        "total": 2 * (3 + 0 + 4 + 50) + 100_000.0,
        "total_state": "finite",
        "scale": 2.0,
        "offset": 100_000.0,
        "terms": [
            {"attribute": "vms", "input": 3, "cost": 3.0, "feasible": True, "curve": "linear"},
            {"attribute": "vcpus", "input": 20, "cost": 0.0, "feasible": True, "curve": None},
            {"attribute": "memory", "input": 64 * 2**30, "cost": 4.0, "feasible": True, "curve": "hard-soft"},
            {"attribute": "devices.a100", "input": 2, "cost": 50.0, "feasible": True, "curve": "linear"},
        ],
    }


def test_a_profile_stands_for_its_cost_function(run: Run) -> None:
    """The answer is the same."""
    by_profile = run("cost", "--profile", "gpu-node", *USE, "--json").json
    assert by_profile == run("cost", "--function", "gpu", *USE, "--json").json


def test_an_infinite_cost_is_null_and_exits_1(run: Run) -> None:
    """Here three devices where two are allowed."""
    outcome = run("cost", "--function", "gpu", *USE, "--device", "a100=3", "--json")
    document = outcome.json
    assert outcome.code == 1
    assert (document["feasible"], document["total"], document["total_state"]) == (False, None, "infinite")
    assert [(term["cost"], term["feasible"]) for term in document["terms"]][3] == (None, False)


def test_a_device_type_without_a_curve_is_unavailable(run: Run) -> None:
    """None of them is free, one is infinite."""
    for count, code in ((0, 0), (1, 1)):
        outcome = run("cost", "--function", "cpu", *USE, "--device", f"fpga={count}", "--json")
        assert outcome.code == code
        term = outcome.json["terms"][3]
        assert (term["attribute"], term["input"], term["curve"]) == ("devices.fpga", count, "unavailable")


def test_people_read_the_sum_and_the_limits(run: Run) -> None:
    """The total as the sum that it is."""
    outcome = run("cost", "--function", "cpu", *USE)
    lines = outcome.out.splitlines()
    assert lines[0] == "cpu (CPU nodes): 17.0 = 1 x (3.0 + 10.0 + 4.0) + 0"
    assert ["memory", "64", "GiB", "850", "GiB", "hard-soft", "4.0"] in [line.split() for line in lines]
    outcome = run("cost", "--function", "cpu", "--vms", 1, "--vcpus", 200, "--memory", "900 GiB")
    assert "infinite: vcpus, memory" in outcome.out


def test_large_inputs_are_numbers_like_others(run: Run) -> None:
    """Up to the largest that libvirt could count."""
    outcome = run("cost", "--function", "gpu", "--vms", 2**63 - 1, "--vcpus", 0, "--memory", 0, "--json")
    assert outcome.code == 0
    assert outcome.json["terms"][0]["input"] == 2**63 - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (USE, "use either --function or --profile"),
        ((*USE, "--function", "cpu", "--profile", "cpu-node"), "not both"),
        ((*USE, "--function", "gpuu"), "did you mean 'gpu'?"),
        ((*USE, "--profile", "cpu-mode"), "did you mean 'cpu-node'?"),
        ((*USE, "--function", "cpu", "--device", "a", "--device", "a"), "given twice"),
        (("--function", "cpu", "--vms", -1, "--vcpus", 1, "--memory", 1), "-1 is not in the range"),
        (("--function", "cpu", "--vms", 1, "--vcpus", 1), "Missing option '--memory'"),
        (("--function", "cpu", "--vms", 1, "--vcpus", 1, "--memory", "-1"), "negative"),
        (("--function", "cpu", "--vms", 1, "--vcpus", 2**64, "--memory", 1), "is not in the range"),
        ((*USE, "--function", "cpu", "--config", "none.conf"), "none.conf"),
    ],
)
def test_wrong_usage_is_refused_with_what_would_be_right(run: Run, arguments: tuple[object, ...], message: str) -> None:
    """Exit code 2, on standard error, and no JSON."""
    outcome = run("cost", *arguments, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
