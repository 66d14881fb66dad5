"""Room that is promised to VMs before their hosts show them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import ReservationRefused, UnknownHost
from core.hardware import PciAddress
from core.registry.reservations import LIFETIME, REMEMBERED
from core.reservations import Reservation

GPU = PciAddress.parse("0000:41:00.0")
WANTED = Reservation(uuid="u1", vm="web", host="h1", vcpus=2, memory_bytes=2**30, devices=(GPU,), owner="ann@a 12")


@pytest.fixture
def with_hosts(registry, configuration, host):
    """Register two hosts."""
    registry.add(host("h1"), configuration)
    registry.add(host("h2"), configuration)
    return registry


def reserve(registry, reservation):
    """Reserve in a transaction of its own."""
    with registry.transaction() as changes:
        return changes.reserve(reservation)


def test_a_reservation_is_seen_by_everyone_with_its_times_filled_in(with_hosts, clock):
    """Taken now, and lasting a minute unless said otherwise."""
    taken = reserve(with_hosts, WANTED)
    assert taken == replace(WANTED, taken_at=clock.now(), expires_at=clock.now() + LIFETIME)
    assert with_hosts.reservations() == (taken,)


def test_a_vm_has_one_reservation_which_its_owner_may_take_again(with_hosts):
    """A second choice of host replaces the first."""
    reserve(with_hosts, WANTED)
    again = reserve(with_hosts, replace(WANTED, host="h2"))
    assert with_hosts.reservations() == (again,)


def test_a_vm_reserved_by_another_owner_is_refused(with_hosts):
    """Two administrators don't start the same VM."""
    reserve(with_hosts, WANTED)
    with pytest.raises(ReservationRefused, match="web is being placed on h1 by ann@a 12"):
        reserve(with_hosts, replace(WANTED, owner="bob@b 99"))


def test_a_device_is_promised_to_one_vm_on_a_host(with_hosts):
    """The same address of another host is another device."""
    reserve(with_hosts, WANTED)
    other = replace(WANTED, uuid="u2", vm="db")
    with pytest.raises(ReservationRefused, match=r"0000:41:00.0 on h1 is reserved for web"):
        reserve(with_hosts, other)
    reserve(with_hosts, replace(other, host="h2"))
    assert len(with_hosts.reservations()) == 2


def test_a_host_that_is_not_registered_takes_no_reservation(with_hosts):
    """Nothing is promised on a host that was just removed."""
    with pytest.raises(UnknownHost):
        reserve(with_hosts, replace(WANTED, host="h3"))


def test_a_reservation_expires_and_then_holds_nothing(with_hosts, clock):
    """Its VM and its device are free for others at once."""
    reserve(with_hosts, WANTED)
    clock.advance(LIFETIME)
    assert with_hosts.reservations() == ()
    other = replace(WANTED, uuid="u2", owner="bob@b 99")
    reserve(with_hosts, other)
    assert [reservation.uuid for reservation in with_hosts.reservations()] == ["u2"]
    clock.advance(LIFETIME)
    assert reserve(with_hosts, replace(WANTED, owner="bob@b 99")).owner == "bob@b 99"


def test_a_renewed_reservation_goes_on(with_hosts, clock):
    """The process that works for it pushes its end forward."""
    reserve(with_hosts, WANTED)
    clock.advance(LIFETIME - 1)
    with_hosts.renew("u1", WANTED.owner, clock.now() + LIFETIME)
    clock.advance(LIFETIME - 1)
    assert [reservation.uuid for reservation in with_hosts.reservations()] == ["u1"]


def test_an_expired_or_foreign_reservation_can_not_be_renewed(with_hosts, clock):
    """Its room may have been given away: whoever held it has to know."""
    reserve(with_hosts, WANTED)
    with pytest.raises(ReservationRefused, match="ann@a 12"):
        with_hosts.renew("u1", "bob@b 99", clock.now() + LIFETIME)
    clock.advance(LIFETIME)
    with pytest.raises(ReservationRefused, match="has expired"):
        with_hosts.renew("u1", WANTED.owner, clock.now() + LIFETIME)


def test_releasing_is_done_once_and_only_by_the_owner_named(with_hosts):
    """A late release doesn't take away what another has taken since."""
    reserve(with_hosts, WANTED)
    assert not with_hosts.release("u1", owner="bob@b 99")
    assert with_hosts.release("u1", owner=WANTED.owner)
    assert not with_hosts.release("u1")
    assert with_hosts.reservations() == ()


def test_what_a_killed_process_left_is_remembered_for_a_week(with_hosts, clock):
    """Every other instance can show it; in the end it goes by itself."""
    left = reserve(with_hosts, WANTED)
    clock.advance(LIFETIME)
    assert with_hosts.abandoned() == (left,)
    clock.advance(REMEMBERED)
    assert with_hosts.abandoned() == ()
    reserve(with_hosts, replace(WANTED, uuid="u2"))
    assert '"u1"' not in with_hosts.path.read_text()


def test_a_released_reservation_is_not_taken_for_abandoned(with_hosts, clock):
    """Only what was never given up tells of a killed process."""
    reserve(with_hosts, WANTED)
    with_hosts.release("u1")
    clock.advance(LIFETIME)
    assert with_hosts.abandoned() == ()


def test_reservations_follow_a_host_to_its_new_name(with_hosts, configuration):
    """A rename loses no promise."""
    reserve(with_hosts, WANTED)
    old = with_hosts.host("h1")
    with_hosts.replace(old, replace(old, name="k1"), configuration)
    assert [reservation.host for reservation in with_hosts.reservations()] == ["k1"]


def test_a_reservation_outlives_the_removal_of_its_host(with_hosts, configuration, host):
    """Removed and added again in the midst of a start, the host is not overbooked."""
    reserve(with_hosts, WANTED)
    with_hosts.remove("h1")
    with_hosts.add(host("h1"), configuration)
    assert [reservation.uuid for reservation in with_hosts.reservations()] == ["u1"]


def test_a_settled_reservation_holds_its_room_for_a_while_and_then_leaves_no_mark(with_hosts, clock):
    """Its VM runs: programs that looked at the host before count it, and nobody takes it for left behind."""
    reserve(with_hosts, WANTED)
    assert with_hosts.release_later("u1", WANTED.owner, clock.now() + 15)
    assert not with_hosts.release_later("u1", WANTED.owner, clock.now() + 15)
    with pytest.raises(ReservationRefused, match="reserved for web"):
        reserve(with_hosts, replace(WANTED, uuid="u2", vm="db"))
    clock.advance(15)
    assert with_hosts.reservations() == with_hosts.abandoned() == ()
    reserve(with_hosts, replace(WANTED, uuid="u3", vm="db"))
    assert "u1" not in with_hosts.path.read_text()


def test_a_vm_whose_reservation_is_settled_can_be_placed_again_by_anyone(with_hosts, clock):
    """It was started a moment ago, and is moved now."""
    reserve(with_hosts, WANTED)
    with_hosts.release_later("u1", WANTED.owner, clock.now() + 15)
    moved = reserve(with_hosts, replace(WANTED, host="h2", owner="bob@b 99", taken_at=0.0, expires_at=0.0))
    assert with_hosts.reservations() == (moved,)
