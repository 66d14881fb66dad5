"""The log of decisions: whole lines, whoever writes, rotates or dies."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from core.codes import ReplayOutcome
from core.errors import UnwritableFile
from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.hosts import HostState
from core.locks import exclusive
from core.operations.migration.target_room import NoTarget, demand_of, take_target
from core.operations.scheduling.log_file import append_line, rotated
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision, log_decision
from core.operations.scheduling.replay import LoggedConfigurations, replay
from core.operations.scheduling.reserve import NoRoom
from core.operations.selection import find_vm
from core.operations.vms.create import create_vm
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from tests.driver.worlds import LONG, Guest
from tests.operations.vms.world import GIB, order, world
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
    return append_decision(
        registry, SchedulingDecision(CONFIGURATION, FLEET, placements, operation="create", vm="w\x1b[2J", uuid="u")
    )


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
    lines = [line for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
    decisions = [json.loads(line) for line in lines if line]  # who writes past a lock begins with an empty one
    assert len({decision["id"] for decision in decisions}) == 60
    assert len(list((tmp_path / "scheduling-configurations").iterdir())) == 1


def test_half_a_line_of_a_killed_writer_stays_alone(tmp_path: Path) -> None:
    """The next decision begins on a line of its own."""
    (tmp_path / "scheduling.jsonl").write_text('{"time": "20')
    decision = append(tmp_path / "registry.json")
    assert json.loads((tmp_path / "scheduling.jsonl").read_text().splitlines()[1]) == decision


def test_a_log_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A decision that is to be logged is not made in silence: an error where the line is written, a warning there."""
    (tmp_path / "scheduling.jsonl").mkdir()
    with pytest.raises(UnwritableFile, match=r"scheduling\.jsonl can't be written"):
        append(tmp_path / "registry.json")
    warning = warn(tmp_path / "registry.json")
    assert "the decision is not in the log" in warning
    assert "log-scheduling = off" in warning


def warn(registry: Path, deadline: float = 20.0) -> str:
    """Log a decision as a placement does, and give its warning."""
    placements = place(CONFIGURATION, FLEET, Request(2, 2**30, realm="main"))
    return log_decision(
        registry, SchedulingDecision(CONFIGURATION, FLEET, placements, operation="create"), deadline=deadline
    )


def test_a_lock_that_someone_holds_does_not_keep_a_decision_out(tmp_path: Path) -> None:
    """It is written past it, on a line of its own."""
    append(tmp_path / "registry.json")
    with exclusive(tmp_path / "scheduling.jsonl"):
        assert warn(tmp_path / "registry.json") == ""
    lines = [line for line in (tmp_path / "scheduling.jsonl").read_text().splitlines() if line]
    assert [len(json.loads(line)["hosts"]) for line in lines] == [2, 2]


def test_a_log_that_is_held_up_holds_a_placement_up_for_a_moment_only(tmp_path: Path) -> None:
    """Here because another program has its lock for longer than the placement waits."""
    append(tmp_path / "registry.json")
    with exclusive(tmp_path / "scheduling.jsonl"):
        assert "was not written within 0.1 s" in warn(tmp_path / "registry.json", deadline=0.1)


@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody reads, a device, a link to itself."""
    path = tmp_path / "scheduling.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null" if kind == "device" else path)
    assert "can't be written" in warn(tmp_path / "registry.json")


def test_a_log_is_rotated_by_size_and_loses_no_line_before_its_time(tmp_path: Path) -> None:
    """The newest lines are in the file, the older in `.1` and so on; a longer line has a file to itself."""
    log, like = tmp_path / "log", tmp_path / "registry.json"
    for number in range(10):
        append_line(log, f"{number}" * 30, like=like, most_bytes=70, kept=3)
    append_line(log, "x" * 500, like=like, most_bytes=70, kept=3)
    append_line(log, "y", like=like, most_bytes=70, kept=3)
    contents = [[line[0] for line in path.read_text().splitlines()] for path in (log, *rotated(log, 3))]
    assert contents == [["y"], ["x"], ["8", "9"], ["6", "7"]]


def test_many_write_and_rotate_at_once_and_every_line_is_whole(tmp_path: Path) -> None:
    """The program rotates by itself while others write."""
    log, like = tmp_path / "log", tmp_path / "registry.json"

    def write(name: str) -> None:
        for number in range(40):
            append_line(log, json.dumps([name, number, "x" * 50]), like=like, most_bytes=1500, kept=50)

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    files = [path for path in (log, *rotated(log, 50)) if path.exists()]
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines() if line]
    assert len(files) > 4
    assert sorted((name, number) for name, number, _ in lines) == [(name, n) for name in "abcd" for n in range(40)]


def test_a_line_that_the_disk_has_no_room_for_leaves_no_half_behind(tmp_path: Path) -> None:
    """Here because the process may not write a file larger than that."""
    log = tmp_path / "log"
    program = (
        "import pathlib, sys\n"
        "from core.operations.scheduling.log_file import append_line\n"
        f"log = pathlib.Path({str(log)!r})\n"
        "append_line(log, 'a' * 50, like=log)\n"
        "try:\n    append_line(log, 'b' * 100, like=log)\n"
        "except OSError:\n    sys.exit(3)\n"
    )

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    assert subprocess.run([sys.executable, "-c", program], check=False, preexec_fn=limit).returncode == 3
    assert log.read_text() == "a" * 50 + "\n"


def test_log_and_configurations_are_shared_with_the_group_of_the_registry(tmp_path: Path) -> None:
    """Another administrator must be able to add to both."""
    registry = tmp_path / "registry.json"
    registry.write_text("{}")
    registry.chmod(0o660)
    append(registry)
    (stored,) = (tmp_path / "scheduling-configurations").iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "scheduling.jsonl", stored, stored.parent)]
    assert modes == [0o660, 0o660, 0o770]


def test_a_vm_is_created_though_its_decision_can_not_be_logged(tmp_path: Path) -> None:
    """The task has a warning; the room is taken, and the VM runs."""
    with world(tmp_path, log="on", door=None) as realm:
        (tmp_path / "scheduling.jsonl").mkdir()
        created = realm.task(lambda control: create_vm(realm.session, control, order(wait=False)))
        assert created.placement.host == "h1"
        assert any("the decision is not in the log" in warning for warning in realm.last_task().warnings)
        (tmp_path / "scheduling.jsonl").rmdir()
        with pytest.raises(NoRoom):
            realm.task(lambda control: create_vm(realm.session, control, order(name="big", memory_bytes=64 * GIB)))
    (line,) = (tmp_path / "scheduling.jsonl").read_text().splitlines()
    assert (json.loads(line)["operation"], json.loads(line)["placed"]) == ("create", 0)


def test_decisions_on_live_hosts_are_made_again_the_same(tmp_path: Path, door: int) -> None:
    """With reservations, devices, a host that was asked for, and one that is silent; to the last bit of each age."""
    with world(tmp_path, hosts=3, door=door, log="on") as realm:
        realm.session.set_state("h3", HostState.NO_SCHEDULING)
        for number, more in enumerate(({"devices": {"gpu": 1}}, {}, {"host": "h2"}, {"devices": {"gpu": 2}})):
            realm.task(
                lambda control, name=f"vm{number}", more=more: create_vm(
                    realm.session, control, order(name=name, wait=False, **more)
                )
            )
        with pytest.raises(NoRoom):
            realm.task(lambda control: create_vm(realm.session, control, order(name="big", memory_bytes=64 * GIB)))
        log, configuration = tmp_path / "scheduling.jsonl", realm.session.configuration
        for by in (lambda _: configuration, LoggedConfigurations(log, lambda same: same)):
            assert [each.outcome for each in replay(log, by)] == [ReplayOutcome.SAME] * 5


def test_a_migration_s_decision_is_logged_taken_refused_or_forced(tmp_path: Path) -> None:
    """And made again the same: an order that went past a refusal would go past it again."""
    guests = ((Guest(name="mover", network="default"),),)
    with world(tmp_path, hosts=3, guests=guests, log="on") as realm:
        session = realm.session
        fleet = session.settled_fleet(LONG)
        snapshot, mover = find_vm(fleet, "mover")
        demand = demand_of(session.configuration, snapshot, mover)

        def take(target: str, *, force: bool = False) -> str:
            try:
                room = take_target(session, mover, demand, target, "test", force=force)
            except NoTarget as error:
                return error.message
            room.promise.release()
            return room.warning

        assert (take("h2"), take("h3")) == ("", "")
        session.set_state("h3", HostState.NO_SCHEDULING)
        assert take("h3") == "h3 cannot take mover: the host is set to No Scheduling"
        assert take("h3", force=True) == ""
        (tmp_path / "scheduling.jsonl").rename(tmp_path / "log")
        (tmp_path / "scheduling.jsonl").mkdir()
        assert "the decision is not in the log" in take("h2")
        configuration = session.configuration
    decisions = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(each["placed"], each["forced_host"], each["despite_refusal"]) for each in decisions] == [
        (1, None, False), (1, "h3", False), (0, "h3", False), (1, "h3", True),
    ]  # fmt: skip
    assert {verdict["host"] for each in decisions for verdict in each["verdicts"]} == {"h2", "h3"}
    assert [each.outcome for each in replay(tmp_path / "log", lambda _: configuration)] == [ReplayOutcome.SAME] * 4
