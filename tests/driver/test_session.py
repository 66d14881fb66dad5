"""What a session remembers from poll to poll, on the test driver with a clock that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt
import pytest

from core.driver.connection.connection import HostConnection, open_connection
from core.driver.lanes.mailbox import DomainChanged
from core.driver.lanes.session import POLLS_PER_POOL_LISTING, HostPoller, SeenDomain
from core.fleet.fleet import PoolState, VMState
from tests.driver.worlds import Guest, guest_xml, write_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.clock import FixedClock

KEY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[HostConnection]:
    """Return a host with one running VM."""
    guests = [Guest(name="vm", uuid=KEY, vcpus=2)]
    connection = open_connection("h", write_node(tmp_path / "node.xml", guests, pools=["ticrypt-vm"]))
    yield connection
    connection.close()


@pytest.fixture
def session(connection: HostConnection, clock: FixedClock) -> HostPoller:
    """Return a session that has polled once."""
    session = HostPoller(connection, clock, lambda: None)
    session.poll()
    return session


def only(session: HostPoller) -> SeenDomain:
    """Poll, and give the only domain."""
    session.poll()
    assert len(session.seen) == 1
    return session.seen[0]


def test_a_start_that_nobody_saw_has_no_time(session: HostPoller) -> None:
    """The VM ran before the first poll."""
    assert session.seen[0].started_at is None
    assert only(session).started_at is None


def test_a_start_that_was_seen_keeps_its_time(
    session: HostPoller, connection: HostConnection, clock: FixedClock
) -> None:
    """Also where off and on came between two polls: the domain's id tells."""
    connection.force_off(KEY)
    connection.start(KEY)
    clock.advance(5)
    started = clock.now()
    assert only(session).started_at == started
    clock.advance(5)
    assert only(session).started_at == started


def test_a_vm_that_was_moved_here_started_elsewhere(
    session: HostPoller, connection: HostConnection, clock: FixedClock
) -> None:
    """Its age is not known here."""
    session.note(DomainChanged(KEY, moved_here=True))
    connection.force_off(KEY)
    connection.start(KEY)
    clock.advance(5)
    assert only(session).started_at is None


def test_a_start_is_remembered_across_connections(
    session: HostPoller, connection: HostConnection, clock: FixedClock
) -> None:
    """The id is still the same; another id was started while nobody looked."""
    connection.force_off(KEY)
    connection.start(KEY)
    started = only(session).started_at
    clock.advance(60)
    again = HostPoller(connection, clock, lambda: None, session)
    assert only(again).started_at == started
    connection.force_off(KEY)
    connection.start(KEY)
    assert only(HostPoller(connection, clock, lambda: None, again)).started_at is None


def test_xml_is_read_once(session: HostPoller, connection: HostConnection) -> None:
    """And again after an event."""
    facts = session.seen[0].facts
    assert only(session).facts is facts
    session.note(DomainChanged(KEY))
    assert only(session).facts is not facts


def test_a_vm_that_vanishes_before_its_xml_is_read_is_left_out(connection: HostConnection, clock: FixedClock) -> None:
    """Between the list and the question; the others are listed."""
    connection.define(guest_xml(Guest(name="other")))
    removed = []

    def remove_once() -> None:
        if not removed:
            removed.append(KEY)
            connection.force_off(KEY)
            connection.undefine(KEY)

    session = HostPoller(connection, clock, remove_once)
    session.poll()
    assert [domain.name for domain in session.seen] == ["other"]


def test_a_renamed_vm_stays_the_same_vm(session: HostPoller, connection: HostConnection) -> None:
    """Its UUID is its key."""
    connection.force_off(KEY)
    connection.handle.lookupByUUIDString(KEY).rename("new name", 0)
    renamed = only(session)
    assert (renamed.uuid, renamed.name, renamed.state) == (KEY, "new name", VMState.OFF)


def poll_and_refresh(session: HostPoller) -> None:
    """Do what a lane does in a round."""
    session.poll()
    session.refresh_pools()


def test_pools_are_listed_once_in_a_while(session: HostPoller, connection: HostConnection) -> None:
    """After every sixth poll, or when one has changed."""
    assert session.pools == {"ticrypt-vm": PoolState.ACTIVE}
    connection.handle.storagePoolLookupByName("ticrypt-vm").destroy()
    for _ in range(POLLS_PER_POOL_LISTING - 1):
        poll_and_refresh(session)
        assert session.pools == {"ticrypt-vm": PoolState.ACTIVE}
    poll_and_refresh(session)
    assert session.pools == {"ticrypt-vm": PoolState.INACTIVE}
    connection.handle.storagePoolLookupByName("ticrypt-vm").create()
    session.list_pools_again()
    poll_and_refresh(session)
    assert session.pools == {"ticrypt-vm": PoolState.ACTIVE}


def test_definitions_of_vms_that_are_off_are_read_again(session: HostPoller, connection: HostConnection) -> None:
    """No event tells of a change of a stored definition alone; those that run are not asked again."""
    connection.force_off(KEY)
    facts = only(session).facts
    for _ in range(POLLS_PER_POOL_LISTING - 1):
        session.refresh_pools()
        assert only(session).facts is facts
    session.refresh_pools()
    assert only(session).facts is not facts
    connection.start(KEY)
    facts = only(session).facts
    for _ in range(POLLS_PER_POOL_LISTING + 1):
        poll_and_refresh(session)
    assert only(session).facts is facts


def test_a_detached_session_lets_the_connection_go(session: HostPoller, connection: HostConnection) -> None:
    """Libvirt keeps a connection as long as one of its objects is held; close() tells how many are left."""
    session.look_up_addresses(lambda: True)
    session.detach()
    handle = connection.handle
    assert isinstance(handle, libvirt.virConnect)
    assert handle.close() == 0
    connection.handle = None
    assert session.seen[0].name == "vm"
