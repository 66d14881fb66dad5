"""Several processes at one registry: nothing is lost, nothing is promised twice, and a killed one leaves it whole."""

from __future__ import annotations

import json
from time import monotonic

import pytest

from tests.driver.worlds import LONG
from tests.registry.processes import start


def finish(processes):
    """Wait until all have succeeded, and give their outputs."""
    outcomes = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    assert [(error, code) for _, error, code in outcomes] == [("", 0)] * len(processes)
    return [output for output, _, _ in outcomes]


def test_nothing_is_lost_and_no_number_used_twice_by_processes_that_change_hosts_at_once(registry):
    """Each process adds, edits, renames and removes hosts of its own in one file."""
    finish([start("churn", registry.path, number, 12) for number in range(6)])
    hosts = registry.hosts()
    assert sorted(stored.name for stored in hosts) == sorted(f"k{n}-{i}" for n in range(6) for i in range(12) if i % 3)
    assert {stored.profile for stored in hosts} == {"gpu"}
    assert len({stored.version for stored in hosts}) == len(hosts)
    tables = json.loads(registry.path.read_text())
    assert tables["registry"]["1"]["changes"] == 6 * (12 + 12)


@pytest.mark.timeout(120)
def test_eight_processes_that_race_for_the_last_room_never_overbook(registry, configuration, host):
    """Exactly what fits is given away, and no device twice."""
    registry.add(host("h1"), configuration)
    outputs = finish([start("race", registry.path, number, 10) for number in range(8)])
    reservations = registry.reservations()
    assert sum(reservation.memory_bytes for reservation in reservations) == 32 * 2**30
    assert sum(int(output) for output in outputs) == len(reservations) == 32
    devices = [address for reservation in reservations for address in reservation.devices]
    assert len(devices) == len(set(devices)) == 5


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 8, 13, 21, 34])
def test_a_process_killed_while_it_writes_leaves_a_whole_file(registry, configuration, host, lines):
    """The killed one's lock is free at once, and the next change succeeds."""
    registry.add(host("h0"), configuration)
    process = start("scribble", registry.path)
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    process.communicate()
    assert len(registry.hosts()) >= lines
    registry.add(host("after"), configuration)
    assert registry.host("after")
    assert not list(registry.path.parent.glob(".*"))


def test_readers_never_see_half_a_file(registry, configuration, host):
    """Each reading while another process writes finds as many hosts as the one before, or more."""
    registry.add(host("h0"), configuration)
    process = start("scribble", registry.path)
    process.stdout.readline()
    counts = [len(registry.hosts())]
    until = monotonic() + LONG
    while len(counts) < 300 or counts[-1] == counts[0]:
        assert monotonic() < until, "the other process writes nothing"
        counts.append(len(registry.hosts()))
    process.kill()
    process.communicate()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
