"""`realms plan batch`, as one types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.fleet.file import load_file
from core.placement.engine.request import Request
from core.placement.plans.batch import compare_orders
from core.placement.plans.rows import comparison_document
from tests.cli.program import lines, plan
from tests.cli.saved_fleet import FLEET, GIB, HOSTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]


@pytest.fixture
def two(places: Path) -> str:
    """Save two empty hosts of 850 GiB each."""
    (places / "two.json").write_text(json.dumps({**FLEET, "hosts": HOSTS[:2], "vms": []}))
    return "two.json"


def test_the_largest_first_finds_more_places(run: Run, two: str) -> None:
    """The small ones, one to each host, leave no room for the large one; one order that places all is enough."""
    outcome = plan(run, "batch", "2=1,300GiB", "1=1,800GiB", "--json", fleet=two)
    assert (outcome.code, outcome.json["more_placed"]) == (0, 1)
    assert (outcome.json["arrival"]["placed"], outcome.json["largest_first"]["placed"]) == (2, 3)


def test_the_document_is_that_of_the_pure_function(run: Run, two: str) -> None:
    """Numbers count from 1 in the order given."""
    outcome = plan(run, "batch", "3=8,64GiB", "1=1,900 GiB", "--json", fleet=two)
    requests = [*[Request(8, 64 * GIB)] * 3, Request(1, 900 * GIB)]
    compared = compare_orders(load(Path("ticrypt-vm.conf")), load_file(Path(two)), requests)
    assert outcome.json == {**comparison_document(compared), "hosts_answering": 2, "hosts_total": 2}
    assert [each["vm"] for each in outcome.json["arrival"]["refused"]] == [4]
    assert outcome.code == 1


def test_a_batch_in_words(run: Run, two: str) -> None:
    """How many are placed where in each order, and why the others are not."""
    outcome = plan(run, "batch", "3=8,64GiB", "2=1,900GiB", fleet=two)
    told = lines(outcome)
    assert told[0] == "5 VMs: 3 placed in the given order, on 2 hosts; 3 largest first, on 2 hosts"
    assert told[2:5] == ["HOST AS GIVEN LARGEST FIRST", "h1 2 2", "h2 1 1"]
    at = told.index("Not placed (in the given order):")
    assert told[at + 1] == "2 of 1 vCPU, 900 GiB"
    assert told[at + 2].startswith("no host can take it: h1: memory infinite")
    assert plan(run, "batch", "3=8,64GiB", fleet=two).code == 0


def test_devices_and_changes_are_understood(run: Run) -> None:
    """The GPU host has two places for its devices, of which one is taken."""
    arguments = ("batch", "2=1,1GiB,a100=1")
    outcome = plan(run, *arguments, "--without-vm", "ml", "--json")
    assert (outcome.code, outcome.json["what_if"]["before"]["arrival"]["placed"]) == (0, 1)
    assert "Without the changes: 2 VMs: 1 placed" in plan(run, *arguments, "--without-vm", "ml").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument"),
        (("8,64GiB",), "is not a number of VMs"),
        (("0=8,64GiB",), "is not a number of VMs"),
        (("x=8,64GiB",), "is not a number of VMs"),
        (("1=8",), "is not a number of VMs of a size"),
        (("1=8,64 Gib",), "did you mean GiB?"),
        (("1=0,64GiB",), "1 vCPU"),
        (("60000=1,1GiB", "60000=1,1GiB"), "100000 VMs"),
        (("1=8,64GiB", "--realm", "mian"), "did you mean 'main'?"),
    ],
)
def test_wrong_batches_are_refused(run: Run, arguments: tuple[object, ...], message: str) -> None:
    """Exit code 2, nothing on standard output."""
    outcome = plan(run, "batch", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
