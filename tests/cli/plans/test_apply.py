"""The plan that is shown is the plan that is carried out, on hosts of the test driver, as one types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.program import runner
from tests.driver.worlds import Guest
from tests.operations.vms.world import GPUS, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]


def guest(name: str, number: int, gib: int, *devices: str) -> Guest:
    """Describe a VM."""
    return Guest(name=name, uuid=f"{number * 11111111}-1111-4111-8111-111111111111", memory_mib=gib * 1024,
                 devices=devices)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Return a function that runs a command on two hosts of 16 GiB with two devices, of which each has one to spare."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    first = [guest("ml", 1, 1, GPUS[0]), guest("web", 2, 4), guest("db", 3, 1)]
    with world(tmp_path, guests=[first, [guest("other", 4, 6, GPUS[0])]]) as made:
        made.close()
        yield runner(monkeypatch, capsys)


PLANS = {
    "drain": ("drain", "h1"),
    "rebalance": ("rebalance",),
    "room-for-memory": ("room", "--vcpus", 1, "--memory", "12 GiB"),
    "room-for-devices": ("room", "--vcpus", 1, "--memory", "1 GiB", "--device", "gpu=2"),
}


@pytest.mark.parametrize("words", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("devices", ["", "--with-devices", "--without-devices"])
def test_the_moves_that_are_shown_are_those_that_are_agreed_to(
    run: Run, words: tuple[object, ...], devices: str
) -> None:
    """Each with where it goes and how; whether the test driver can make it is another matter."""
    options = ("--foreign", *([devices] if devices else []), "--json")
    shown = run("plan", *words, *options).json
    applied = run("plan", *words, *options, "--apply").json
    agreed = [
        tuple(row[key] for key in ("vm", "uuid", "from", "to", "offline"))
        for row in (*applied["applied"], *applied["not_made"])
    ]
    planned = [tuple(move[key] for key in ("vm", "uuid", "from", "to", "offline")) for move in shown["moves"]]
    assert sorted(agreed) == sorted(planned)
    assert applied["moves"] == shown["moves"]
    assert all(row["as_planned"] for row in applied["applied"])
    shut_down = [move["vm"] for move in shown["moves"] if move["offline"]]
    assert bool(shut_down) == (devices == "--with-devices" and words[0] != "rebalance" and "12 GiB" not in words)


def test_room_that_is_made_is_a_yes(run: Run) -> None:
    """A host takes the VM afterwards; the moves are told as those of a drain."""
    words = ("plan", "room", "--vcpus", 1, "--memory", "1 GiB", "--device", "gpu=2", "--foreign")
    assert run(*words).code == 1
    outcome = run(*words, "--with-devices", "--apply", "--json")
    assert (outcome.code, outcome.json["agreed"], outcome.json["resume"]) == (0, True, None)
    (row,) = outcome.json["applied"]
    assert (row["state"], row["offline"]) == ("done", True)
    assert outcome.json["host"] == row["from"]


def test_room_that_can_not_be_made_is_a_no(run: Run) -> None:
    """The test driver moves nothing that runs; in words it is said that there is no room yet."""
    outcome = run("plan", "room", "--vcpus", 1, "--memory", "12 GiB", "--foreign", "--apply")
    assert outcome.code == 1
    assert "1 failed" in outcome.out
    assert "No capacity yet. 1 vCPU, 12 GiB: " in outcome.out
