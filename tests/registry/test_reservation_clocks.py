"""Reservations and clocks that jump: a living process keeps what it reserved, and nothing stays for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from core.clock import FixedClock
from core.errors import ReservationRefused
from core.registry.hosts import HostRegistry
from core.registry.reservations import LIFETIME
from core.reservations import Reservation
from core.workers import this_worker
from tests.driver.worlds import LONG
from tests.registry.processes import start

WANTED = Reservation(uuid="u1", vm="web", host="h1", vcpus=2, memory_bytes=2**30, owner="ann@a 12")
RIVAL = replace(WANTED, owner="bob@b 99")
HOUR = 3600.0


@dataclass
class Machine(FixedClock):
    """A machine's clocks: `advance` lets time pass, `jump` sets only the time of day."""

    up: float = 5000.0

    def monotonic(self) -> float:
        """Return the seconds since it was started."""
        return self.up

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.up += seconds

    def jump(self, seconds: float) -> None:
        """Set the time of day."""
        self.seconds += seconds


@pytest.fixture
def clock():
    """Return the clocks of the machine that reserves."""
    return Machine()


@pytest.fixture
def with_host(registry, configuration, host):
    """Register a host."""
    registry.add(host("h1"), configuration)
    return registry


def reserve(registry, reservation=WANTED):
    """Reserve in a transaction of its own."""
    return registry.change(lambda changes: changes.reserve(reservation))


def uuids(registry):
    """Name what is reserved, as programs read it."""
    return [each.uuid for each in registry.reservations()]


def another_program(registry, clock):
    """Open the registry as another program of the same machine does."""
    return HostRegistry(registry.path, clock)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 400 * 86_400.0, -400 * 86_400.0])
@pytest.mark.parametrize("worker", [None, this_worker()])
def test_the_time_of_day_ends_nothing_and_keeps_nothing(with_host, clock, jump, worker):
    """Its end comes after its lifetime has passed, whatever the time of day; a dead process's is then abandoned."""
    reserve(with_host, replace(WANTED, worker=worker and replace(worker, started=worker.started + 1)))
    clock.jump(jump)
    reader = another_program(with_host, clock)
    assert uuids(with_host) == uuids(reader) == ["u1"]
    with pytest.raises(ReservationRefused):
        reserve(reader, RIVAL)
    clock.advance(LIFETIME - 1)
    assert uuids(reader) == ["u1"]
    clock.advance(1)
    assert uuids(with_host) == uuids(reader) == []
    assert reserve(reader, RIVAL).owner == RIVAL.owner


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_renewal_after_a_jump_counts_from_then(with_host, clock, jump):
    """The process goes on as if nothing had happened."""
    reserve(with_host)
    clock.jump(jump)
    with_host.renew("u1", WANTED.owner, clock.now() + LIFETIME)
    clock.advance(LIFETIME - 1)
    assert uuids(with_host) == ["u1"]
    clock.advance(1)
    assert uuids(with_host) == []


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_what_is_released_later_bridges_its_seconds_whatever_the_time_of_day(with_host, clock, jump):
    """Its process lives on: the seconds count."""
    reserve(with_host, replace(WANTED, worker=this_worker()))
    with_host.release_later("u1", WANTED.owner, clock.now() + 15)
    clock.jump(jump)
    clock.advance(14)
    assert uuids(with_host) == ["u1"]
    clock.advance(1)
    assert uuids(with_host) == []


def test_a_living_process_keeps_what_it_reserved_and_a_killed_one_loses_it(with_host, clock):
    """It may be stopped for an hour: when it goes on, nobody has its room."""
    process = start("keep", with_host.path)
    try:
        assert process.stdout.readline() == "reserved\n"
        clock.up = 1e9  # longer than this machine can have been up
        reader = another_program(with_host, clock)
        assert uuids(reader) == ["kept"]
        with pytest.raises(ReservationRefused):
            reserve(reader, replace(RIVAL, uuid="kept"))
    finally:
        process.kill()
        process.communicate(timeout=LONG)
    assert uuids(reader) == []
    assert [each.uuid for each in reader.abandoned()] == ["kept"]


@pytest.fixture
def elsewhere(with_host):
    """Return the clocks of another machine, an hour ahead, and the registry as it is read there."""
    clocks = Machine(seconds=FixedClock().seconds + HOUR, up=77.0)
    return clocks, HostRegistry(with_host.path, clocks, boot="another/1-1")


def test_another_machine_waits_for_a_lifetime_by_its_own_clock(with_host, clock, elsewhere):
    """Its time of day says that it expired an hour ago; while it is renewed it holds."""
    clocks, reader = elsewhere
    reserve(with_host, replace(WANTED, worker=replace(this_worker(), machine="0" * 32)))
    for _ in range(5):
        assert uuids(reader) == ["u1"]
        clocks.advance(LIFETIME - 1)
        clock.advance(LIFETIME - 1)
        assert uuids(reader) == ["u1"]
        with_host.renew("u1", WANTED.owner, clock.now() + LIFETIME)
    assert uuids(reader) == ["u1"]
    clocks.advance(LIFETIME)
    assert uuids(reader) == []
    assert reserve(reader, RIVAL).owner == RIVAL.owner


def test_programs_of_one_machine_know_what_each_other_has_seen(with_host, elsewhere):
    """One that runs for a second does not begin to wait anew each time."""
    clocks, first = elsewhere
    reserve(with_host)
    with pytest.raises(ReservationRefused):
        reserve(first, RIVAL)
    reserve(first, replace(RIVAL, uuid="u2", vm="db"))  # a change that is kept, and what was seen with it
    clocks.advance(LIFETIME)
    second = HostRegistry(with_host.path, clocks, boot="another/1-1")
    assert uuids(second) == []


def test_a_reservation_of_an_older_program_ends_after_a_lifetime(with_host, clock):
    """It says no more than until when; what it renews counts from when that is seen."""
    reserve(with_host)
    tables = json.loads(with_host.path.read_text())
    (fields,) = tables["reservations"].values()
    del fields["clocks"], fields["worker"]
    with_host.path.write_text(json.dumps(tables))
    clock.jump(HOUR)
    assert uuids(with_host) == ["u1"]
    clock.advance(LIFETIME - 1)
    fields["expires_at"] += LIFETIME
    with_host.path.write_text(json.dumps(tables))
    assert uuids(with_host) == ["u1"]
    clock.advance(LIFETIME - 1)
    assert uuids(with_host) == ["u1"]
    clock.advance(1)
    assert uuids(with_host) == []


def test_an_older_programs_renewal_of_a_newer_record_counts(with_host, clock):
    """It leaves the clocks as they were, which are then not of this renewal."""
    reserve(with_host)
    clock.advance(LIFETIME - 1)
    tables = json.loads(with_host.path.read_text())
    (fields,) = tables["reservations"].values()
    fields["expires_at"] += LIFETIME
    with_host.path.write_text(json.dumps(tables))
    clock.advance(LIFETIME - 1)
    assert uuids(with_host) == ["u1"]
