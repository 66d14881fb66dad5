"""The log of decisions: whole lines, whoever writes, rotates or dies."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from core.errors import UnwritableFile
from core.fleet import Connection, Fleet, HostSnapshot
from core.operations.scheduling_log import append_decision
from core.placement.engine import place
from core.placement.request import Request
from tests.tui.world import CONFIGURATION, NOW, host, vm

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

FLEET = Fleet(
    NOW,
    (
        HostSnapshot(host=host("h1"), connection=Connection.CONNECTED, observed_at=NOW - 2, vms=(vm("a", "h1", 1),)),
        HostSnapshot(host=host("h2"), connection=Connection.UNREACHABLE, error="refused"),
    ),
)


def append(registry: Path) -> dict[str, Any]:
    """Log a decision."""
    placements = place(CONFIGURATION, FLEET, Request(2, 2**30, realm="main"))
    return append_decision(registry, CONFIGURATION, FLEET, placements, operation="create", vm="w\x1b[2J", uuid="u")


def test_a_line_has_all_that_a_decision_was_made_by(tmp_path: Path) -> None:
    """Use, state, free devices and age of each host; names are kept raw, and escaped as JSON does."""
    decision = append(tmp_path / "registry.json")
    (line,) = (tmp_path / "scheduling.jsonl").read_text().splitlines()
    assert json.loads(line) == decision
    assert "\x1b" not in line
    assert decision["vm"] == "w\x1b[2J"
    assert decision["time"] == "2026-11-22T10:00:00.000Z"
    known, unknown = decision["hosts"]
    assert (known["age"], known["use"]["vms"], known["connection"]) == (2.0, 1, "connected")
    assert (unknown["age"], unknown["use"], unknown["error"]) == (None, None, "refused")
    assert [verdict["host"] for verdict in decision["verdicts"]] == ["h1", "h2"]


def test_many_write_at_once_and_every_line_is_whole(tmp_path: Path) -> None:
    """Though the log is renamed all the time, as logrotate does."""
    registry, ended = tmp_path / "registry.json", threading.Event()

    def rotate() -> None:
        number = 0
        while not ended.wait(0.005):
            number += 1
            try:
                (tmp_path / "scheduling.jsonl").rename(tmp_path / f"old-{number}.jsonl")
            except FileNotFoundError:
                continue

    rotator = threading.Thread(target=rotate)
    writers = [threading.Thread(target=lambda: [append(registry) for _ in range(15)]) for _ in range(4)]
    for thread in (rotator, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    rotator.join()
    decisions = [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len({decision["id"] for decision in decisions}) == 60
    assert len(list((tmp_path / "scheduling-configurations").iterdir())) == 1


def test_half_a_line_of_a_killed_writer_stays_alone(tmp_path: Path) -> None:
    """The next decision begins on a line of its own."""
    (tmp_path / "scheduling.jsonl").write_text('{"time": "20')
    decision = append(tmp_path / "registry.json")
    assert json.loads((tmp_path / "scheduling.jsonl").read_text().splitlines()[1]) == decision


def test_a_log_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A decision that is to be logged is not made in silence."""
    (tmp_path / "scheduling.jsonl").mkdir()
    with pytest.raises(UnwritableFile, match=r"scheduling\.jsonl can't be written"):
        append(tmp_path / "registry.json")
