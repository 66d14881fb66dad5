"""Logged decisions made again: the same by the same configuration, and told where another decides otherwise."""

from __future__ import annotations

import json
import shutil
import tempfile
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.codes import ReplayOutcome
from core.config.settings import Setting, apply_settings
from core.errors import UnreadableFile
from core.fleet.fleet import Fleet
from core.hosts import HostState
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision
from core.operations.scheduling.replay import LoggedConfigurations, ReplayResult, UnreadableLine, replay
from core.placement.engine.engine import order, place, rooms
from core.placement.engine.request import Request
from core.placement.engine.rows import verdict_row
from core.placement.what_if.changes import HostGone, HostInState
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.placement.engine.verdicts import Placements

VALID = replace(CONFIGURATION, hardware_profiles={
    name: profile for name, profile in CONFIGURATION.hardware_profiles.items() if name != "orphan"
})  # fmt: skip
FLEET = fleet(
    snapshot("h1", vm("h1", "a", vcpus=8, gib=100)),
    snapshot("h2", vm("h2", "b", vcpus=8, gib=200)),
    snapshot("h3", vm("h3", "c", devices=(GPUS[0],)), profile="gpu-node"),
)
REQUEST = Request(8, 64 * GIB, realm="main")


def log(folder: Path, configuration: Configuration, of: Fleet, placements: Placements, **more: Any) -> Path:
    """Log a decision; gives the log."""
    append_decision(
        folder / "registry.json", SchedulingDecision(configuration, of, placements, operation="create", **more)
    )
    return folder / "scheduling.jsonl"


def again(path: Path, configuration: Configuration, *changes: object) -> list[ReplayResult | UnreadableLine]:
    """Replay a log by one configuration."""
    return list(replay(path, lambda _: configuration, changes))


def changed(configuration: Configuration, *written: str) -> Configuration:
    """Change a configuration by settings."""
    return apply_settings(configuration, [Setting.parse(each) for each in written])[0]


@settings(max_examples=60, deadline=None)
@given(configurations(), fleets(), requests(), st.integers(1, 5), st.data())
def test_by_the_configuration_that_it_was_made_by_no_decision_changes(
    configuration: Configuration, of: Fleet, request: Request, count: int, data: st.DataObject
) -> None:
    """Whatever the fleet: the same hosts, costs and devices, and every verdict to the last word."""
    folder = Path(tempfile.mkdtemp())
    try:
        placements = place(configuration, of, request, count)
        path = log(folder, configuration, of, placements)
        forced = data.draw(st.sampled_from([None, *(host.name for host in of.hosts)]))
        if forced is not None:  # as one that had to go to one host, and as a migration away from it
            only = Fleet(of.taken, tuple(host for host in of.hosts if host.name == forced))
            there = place(configuration, only, request, count)
            log(folder, configuration, of, replace(placements, placements=there.placements), forced_host=forced)
            others = order(
                room.verdict(request) for room in rooms(configuration, of, request.realm) if room.host != forced
            )
            elsewhere = Fleet(of.taken, tuple(host for host in of.hosts if host.name != forced))
            away = place(configuration, elsewhere, request, count)
            log(folder, configuration, of, replace(away, verdicts=others))
        logged = [json.loads(line) for line in path.read_text().splitlines()]
        for outcomes in (again(path, configuration), list(replay(path, LoggedConfigurations(path, lambda same: same)))):
            assert [outcome.outcome for outcome in outcomes] == [ReplayOutcome.SAME] * len(logged)
            for outcome, line in zip(outcomes, logged, strict=True):
                assert [verdict_row(verdict) for verdict in outcome.placements.verdicts] == line["verdicts"]
    finally:
        shutil.rmtree(folder)


@settings(max_examples=40, deadline=None)
@given(configurations(), configurations(), fleets(), requests(), st.integers(1, 4))
def test_by_another_configuration_the_answer_is_that_of_the_fleet_itself(
    first: Configuration, second: Configuration, of: Fleet, request: Request, count: int
) -> None:
    """Replaying from the log equals deciding on the very fleet that was logged, though only sums of it are kept."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = log(folder, first, of, place(first, of, request, count))
        (outcome,) = again(path, second)
        direct = place(second, of, request, count)
        places = [(each.host, each.cost) for each in direct.placements] + [(None, None)] * count
        assert (outcome.now.host, outcome.now.cost) == places[outcome.vm_number - 1]
        assert outcome.placements.placements == direct.placements
        assert [verdict_row(verdict) for verdict in outcome.placements.verdicts] == [
            verdict_row(verdict) for verdict in direct.verdicts
        ]
    finally:
        shutil.rmtree(folder)


def test_a_decision_that_would_go_elsewhere_is_told_with_its_costs(tmp_path: Path) -> None:
    """Then and now, and what the two hosts cost."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    (found,) = again(path, changed(VALID, "cost-functions.gpu.offset=-5", "cost-functions.cpu.offset=2"))
    assert (found.outcome, found.then.host, found.now.host) == (ReplayOutcome.OTHER_HOST, "h1", "h3")
    assert found.then.cost == pytest.approx(20.25)
    assert found.why == "h3 2.0625 (was 100007), h1 22.25 (was 20.25)"


def test_a_host_that_refuses_now_says_why(tmp_path: Path) -> None:
    """The VM goes elsewhere, or nowhere."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    small = changed(VALID, "cost-functions.cpu.memory={ curve: hard-soft, soft: 50 GiB, hard: 100 GiB }")
    (found,) = again(path, small)
    assert (found.outcome, found.now.host) == (ReplayOutcome.OTHER_HOST, "h3")
    assert found.why == ("h1: memory infinite: 164 GiB after placing is past the limit of 100 GiB; 64 GiB too much")
    (lost,) = again(path, small, HostGone("h3"))
    assert (lost.outcome, lost.now.host, lost.now.cost) == (ReplayOutcome.NO_HOST, None, None)


def test_a_vm_that_found_no_host_may_find_one(tmp_path: Path) -> None:
    """What stood in the way then is told."""
    big = Request(8, 900 * GIB, realm="main")
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, big))
    assert again(path, VALID)[0].outcome is ReplayOutcome.SAME
    (found,) = again(path, changed(VALID, "cost-functions.cpu.memory.hard=2 TiB"))
    assert (found.outcome, found.then.host, found.now.host) == (ReplayOutcome.A_HOST, None, "h1")
    assert found.why.startswith("h1 was refused: memory infinite: 1000 GiB")


def test_only_another_cost_is_no_change(tmp_path: Path) -> None:
    """The VM goes where it went."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    (found,) = again(path, changed(VALID, "cost-functions.cpu.offset=1"))
    assert (found.outcome, found.outcome.changes, found.now.cost) == (ReplayOutcome.OTHER_COST, False, 21.25)


def test_hosts_are_changed_in_thought_where_a_decision_knows_them(tmp_path: Path) -> None:
    """And left alone where it doesn't."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    (found,) = again(path, VALID, HostInState("h1", HostState.DISABLED), HostGone("h99"))
    assert (found.now.host, found.why) == ("h2", "h1: the host is disabled")
    (gone,) = again(path, VALID, HostGone("h1"))
    assert (gone.now.host, gone.why) == ("h2", "h1 no longer exists")


def test_a_forced_host_is_forced_again(tmp_path: Path) -> None:
    """Another one is not even thought of."""
    there = place(VALID, Fleet(FLEET.taken, FLEET.hosts[1:2]), REQUEST)
    placements = replace(place(VALID, FLEET, REQUEST), placements=there.placements)
    path = log(tmp_path, VALID, FLEET, placements, forced_host="h2")
    assert again(path, VALID)[0].outcome is ReplayOutcome.SAME
    (found,) = again(path, VALID, HostInState("h2", HostState.NO_SCHEDULING))
    assert (found.outcome, found.why) == (ReplayOutcome.NO_HOST, "h2: the host is set to No Scheduling")


def test_devices_that_were_given_by_name_are_no_difference(tmp_path: Path) -> None:
    """A VM that needs the very devices it has."""
    request = Request(1, GIB, {"a100": 1}, "main")
    placements = place(VALID, FLEET, request)
    fixed = (replace(placements.placements[0], devices=(GPUS[2],)),)
    path = log(
        tmp_path, VALID, FLEET, replace(placements, placements=fixed), forced_host="h3", fixed_devices=(GPUS[2],)
    )
    assert again(path, VALID)[0].outcome is ReplayOutcome.SAME


def test_many_vms_of_one_decision_are_compared_one_by_one(tmp_path: Path) -> None:
    """The first that goes elsewhere is named."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST, 6))
    (found,) = again(path, changed(VALID, "cost-functions.cpu.vms={ curve: linear, slope: 0, base: 0, max: 2 }"))
    assert (found.outcome, found.vm_number, found.why) == (ReplayOutcome.OTHER_HOST, 3, "from VM 3 on")


def test_free_devices_stand_in_for_held_ones_that_a_line_does_not_have(tmp_path: Path) -> None:
    """As in a line that another program wrote."""
    request = Request(1, GIB, {"a100": 1}, "main")
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, request))
    line = json.loads(path.read_text())
    for host in line["hosts"]:
        del host["held_devices"], host["error"], host["reservations"], host["pools"], host["connection"]
    path.write_text(json.dumps(line))
    (found,) = again(path, VALID)
    assert found.outcome is ReplayOutcome.SAME


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("{", "the line is not JSON"),
        ("[]", "the document is a list"),
        ("17", "the document is a number"),
        ('{"hosts": 1}', "verdicts is missing"),
        ('{"verdicts": [], "hosts": []}', "request is null"),
        ("NaN", "NaN is not a JSON number"),
        pytest.param("[" * 100_000, "nested too deeply", id="nested"),
        pytest.param("1" * 10_000, "is not JSON", id="digits"),
    ],
)
def test_a_damaged_line_is_told_with_its_number_and_skipped(tmp_path: Path, damage: str, problem: str) -> None:
    """The lines around it are replayed."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    good = path.read_text()
    path.write_text(good + damage + "\n\n" + good)
    first, bad, last = again(path, VALID)
    assert (first.outcome, last.outcome, last.line) == (ReplayOutcome.SAME, ReplayOutcome.SAME, 4)
    assert bad.line == 2
    assert problem in bad.problem


@pytest.mark.parametrize(
    ("where", "value", "problem"),
    [
        (("request", "vcpus"), 0, "request is invalid: a VM needs at least 1 vCPU"),
        (("request", "memory"), "8 GiB", "request.memory is '8 GiB'"),
        (("request", "devices"), [], "request.devices is a list"),
        (("request", "count"), 10**9, "request.count is 1000000000"),
        (("hosts", 0, "use", "vms"), 10**12, "(expected at most 200000)"),
        (("hosts", 0, "use", "vms"), 0, "hosts[0].use is not zero although there is no VM"),
        (("hosts", 0, "use", "memory"), -1, "hosts[0].use.memory is -1"),
        (("hosts", 0, "age"), -3, "hosts[0].age is -3"),
        (("hosts", 0, "state"), "enabeld", "hosts[0].state is 'enabeld' (did you mean 'enabled'?)"),
        (("hosts", 0, "held_devices"), ["x"], "hosts[0].held_devices[0] is invalid"),
        (("hosts", 0, "name"), "h2", "hosts names 'h2' twice"),
        (("verdicts", 0, "host"), "h9", "verdicts name 'h9', which is not among the hosts"),
        (("placements", 0, "cost"), "7", "placements[0].cost is '7'"),
        (("id",), "\ud800", "id contains half a surrogate pair"),
    ],
)
def test_what_makes_no_sense_in_a_line_is_told_with_its_place(
    tmp_path: Path, where: tuple[str | int, ...], value: object, problem: str
) -> None:
    """And nothing of the size that it claims is made."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    line = json.loads(path.read_text())
    inner = line
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path.write_text(json.dumps(line))
    (bad,) = again(path, VALID)
    assert problem in bad.problem


def test_lines_that_are_no_text_or_too_long_are_told(tmp_path: Path) -> None:
    """A line that never ends takes no memory of its own."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write(b"\xff\xfe\n")
        file.truncate(200 * 1024**2)
    tracemalloc.start()
    no_text, endless = again(path, VALID)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert no_text.problem == "not UTF-8 text: byte 1 is invalid"
    assert (endless.line, endless.problem) == (2, "longer than 64 MiB")
    assert most < 300 * 1024**2


def test_a_long_log_takes_the_memory_of_one_line(tmp_path: Path) -> None:
    """However many there are."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    line = path.read_text()
    path.write_text(line * 400)
    for _ in replay(path, lambda _: VALID):  # what is made once is made
        break
    tracemalloc.start()
    count = sum(outcome.outcome is ReplayOutcome.SAME for outcome in replay(path, lambda _: VALID))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 400
    assert most < 2 * 1024**2


def test_a_configuration_that_is_not_what_it_was_is_not_used(tmp_path: Path) -> None:
    """Missing, changed, or named by something else than a digest: told for each decision."""
    path = log(tmp_path, VALID, FLEET, place(VALID, FLEET, REQUEST))
    (stored,) = (tmp_path / "scheduling-configurations").iterdir()
    logged = LoggedConfigurations(path, lambda same: same)
    assert next(replay(path, logged)).outcome is ReplayOutcome.SAME
    stored.write_text(stored.read_text() + "\n")
    assert "is no longer the configuration of the decision" in again_as_logged(path)
    stored.unlink()
    assert "can't be read: No such file" in again_as_logged(path)
    line = json.loads(path.read_text())
    for digest in ("../../etc/passwd", ""):
        path.write_text(json.dumps({**line, "configuration": digest}))
        assert "does not name its configuration" in again_as_logged(path)


def again_as_logged(path: Path) -> str:
    """Replay by the stored configurations, and give what is wrong."""
    (bad,) = replay(path, LoggedConfigurations(path, lambda same: same))
    return bad.problem


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A folder is none either."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UnreadableFile, match="can't be read"):
            again(path, VALID)
