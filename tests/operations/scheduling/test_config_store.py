"""Configurations kept beside the log: as long as a line refers to them, whoever writes or tidies up meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.codes import ReplayOutcome
from core.locks import exclusive
from core.operations.scheduling import config_store as stored_configurations
from core.operations.scheduling import log_file as line_log
from core.operations.scheduling import log_writer as scheduling_log
from core.operations.scheduling.config_store import UNUSED_SECONDS, digest_of, store, stored_configuration, tidy
from core.operations.scheduling.log_file import append_line, rotated
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision, log_decision, log_of
from core.operations.scheduling.replay import LoggedConfigurations, ReplayResult, replay
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration

FLEET = fleet(snapshot("h1"), snapshot("h2"))
REQUEST = Request(2, GIB, realm="main")
VALID = replace(CONFIGURATION, hardware_profiles={
    name: profile for name, profile in CONFIGURATION.hardware_profiles.items() if name != "orphan"
})  # fmt: skip


def offset(amount: float) -> Configuration:
    """Return a configuration of its own."""
    cpu = replace(VALID.cost_functions["cpu"], offset=amount)
    return replace(VALID, cost_functions={**VALID.cost_functions, "cpu": cpu})


def decide(folder: Path, configuration: Configuration, **more: object) -> str:
    """Log a decision and give its configuration's digest."""
    placements = place(configuration, FLEET, REQUEST)
    decision = SchedulingDecision(configuration, FLEET, placements, operation="create")
    append_decision(folder / "registry.json", decision, **more)  # type: ignore[arg-type]
    return digest_of(configuration)


def kept(folder: Path) -> set[str]:
    """Return the digests of what is stored."""
    return {path.stem for path in (folder / "scheduling-configurations").glob("*.conf")}


def age(folder: Path, *digests: str) -> None:
    """Let configurations be used last long ago."""
    log = log_of(folder / "registry.json")
    before = log.stat().st_mtime - UNUSED_SECONDS - 60
    for digest in digests or kept(folder):
        os.utime(stored_configuration(log, digest), (before, before))


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotate after every line; two former files stay."""

    def append(path: Path, line: str, *, like: Path) -> bool:
        return append_line(path, line, like=like, most_bytes=10, kept=2)

    monkeypatch.setattr(scheduling_log, "append_line", append)


@pytest.mark.usefixtures("small_log")
def test_a_configuration_goes_with_the_last_line_that_refers_to_it(tmp_path: Path) -> None:
    """Not before, though it was not used for long."""
    first = decide(tmp_path, offset(1))
    second = decide(tmp_path, offset(2))
    third = decide(tmp_path, offset(3))
    age(tmp_path)
    assert tidy(log_of(tmp_path / "registry.json")) == ()
    fourth = decide(tmp_path, offset(4))
    assert kept(tmp_path) == {second, third, fourth}
    assert first not in kept(tmp_path)
    assert decide(tmp_path, offset(2)) == second
    age(tmp_path)
    fifth = decide(tmp_path, offset(5))
    assert kept(tmp_path) == {fourth, second, fifth}
    logged = LoggedConfigurations(log_of(tmp_path / "registry.json"), lambda same: same)
    for path in (log_of(tmp_path / "registry.json"), *rotated(log_of(tmp_path / "registry.json"), 2)):
        (found,) = replay(path, logged)
        assert isinstance(found, ReplayResult)
        assert found.outcome is ReplayOutcome.SAME


def test_what_was_used_lately_stays(tmp_path: Path) -> None:
    """Though no line refers to it: one may be about to be written."""
    log = log_of(tmp_path / "registry.json")
    used, unused = decide(tmp_path, offset(1)), decide(tmp_path, offset(2))
    log.write_text("")
    age(tmp_path, unused)
    assert tidy(log) == (unused,)
    assert kept(tmp_path) == {used}
    age(tmp_path, used)
    store(log, stored_configuration(log, used).read_bytes(), like=log)
    assert tidy(log) == ()


@pytest.mark.parametrize("name", ["scheduling.jsonl.1.gz", "scheduling.jsonl-20261122.xz"])
def test_a_former_file_that_is_compressed_keeps_everything(tmp_path: Path, name: str) -> None:
    """Nobody knows what it refers to; one that only has another name is read."""
    log = log_of(tmp_path / "registry.json")
    digest = decide(tmp_path, VALID)
    moved = log.rename(tmp_path / "scheduling.jsonl-before")
    log.write_text("")
    age(tmp_path)
    assert tidy(log) == ()
    moved.unlink()
    (tmp_path / name).write_bytes(b"?")
    assert tidy(log) == ()
    (tmp_path / name).unlink()
    assert tidy(log) == (digest,)


def test_a_reference_is_found_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also across the pieces in which a file is read, and written without a blank by another program."""
    log = log_of(tmp_path / "registry.json")
    digest = decide(tmp_path, VALID)
    line = log.read_text().replace('"configuration": ', '"configuration":')
    for size in (300, 301, 333, 64 * 1024):
        monkeypatch.setattr(stored_configurations, "_CHUNK", size)
        log.write_text(" " * 200 + line)
        age(tmp_path)
        assert tidy(log) == ()
        assert kept(tmp_path) == {digest}


def test_what_is_no_configuration_is_left_alone(tmp_path: Path) -> None:
    """A file of another name, and a link."""
    log = log_of(tmp_path / "registry.json")
    decide(tmp_path, VALID)
    folder = tmp_path / "scheduling-configurations"
    for name in ("notes.txt", "mine.conf"):
        (folder / name).write_text("x")
        os.utime(folder / name, (0, 0))
    assert tidy(log) == ()
    assert (folder / "notes.txt").exists()
    assert (folder / "mine.conf").exists()


def test_one_that_cannot_have_the_lock_leaves_it_to_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is removed while somebody may write."""
    monkeypatch.setattr(stored_configurations, "LOCK_SECONDS", 0.05)
    log = log_of(tmp_path / "registry.json")
    digest = decide(tmp_path, VALID)
    log.write_text("")
    age(tmp_path)
    with exclusive(log):
        assert tidy(log) == ()
    assert tidy(log) == (digest,)
    assert tidy(tmp_path / "none" / "scheduling.jsonl") == ()


def test_one_that_was_removed_while_its_line_was_written_is_stored_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a program that does not know that it was touched."""
    log = log_of(tmp_path / "registry.json")

    def append(path: Path, line: str, *, like: Path) -> bool:
        for stored in (tmp_path / "scheduling-configurations").iterdir():
            stored.unlink()
        return line_log.append_line(path, line, like=like)

    monkeypatch.setattr(scheduling_log, "append_line", append)
    digest = decide(tmp_path, VALID)
    assert hashlib.sha256(stored_configuration(log, digest).read_bytes()).hexdigest() == digest


@pytest.mark.usefixtures("small_log")
def test_programs_that_write_and_tidy_up_at_once_lose_no_configuration_in_use(tmp_path: Path) -> None:
    """Though none was used for long before, and no line refers to any."""
    log = log_of(tmp_path / "registry.json")
    for number in range(3):
        for turn in range(3):
            decide(tmp_path, offset(10 * number + turn))
    decide(tmp_path, offset(99))
    for path in (log, *rotated(log, 2)):
        path.write_text("")
    age(tmp_path)

    def write(number: int) -> None:
        for turn in range(12):
            decide(tmp_path, offset(10 * number + turn % 3))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    logged = LoggedConfigurations(log, lambda same: same)
    found = [each for path in (log, *rotated(log, 2)) if path.exists() for each in replay(path, logged)]
    assert [each for each in found if not isinstance(each, ReplayResult)] == []
    assert digest_of(offset(99)) not in kept(tmp_path)


@pytest.mark.usefixtures("small_log")
def test_a_placement_does_not_wait_until_it_is_tidied_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line is written: that is all it waits for."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(log: Path) -> tuple[str, ...]:
        begun.set()
        go_on.wait(60)
        return tidy(log)

    decide(tmp_path, VALID)
    monkeypatch.setattr(scheduling_log, "tidy", slow)
    placements = place(VALID, FLEET, REQUEST)
    try:
        warning = log_decision(
            tmp_path / "registry.json", SchedulingDecision(VALID, FLEET, placements, operation="create"), deadline=60.0
        )
        assert warning == ""
        assert begun.wait(60)
    finally:
        go_on.set()
