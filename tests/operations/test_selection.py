"""Names that administrators type, and what they are told where one fits nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import UsageError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, VMState
from core.hosts import Host
from core.operations.selection import check_known, find_vm, finds

HOST = Host(name="h1", realm="main", uri="test:///default", profile="node")
WEB = VM(
    name="web", uuid="u", host="h2", realm="main", state=VMState.OFF, active=False, vcpus=1, memory_bytes=2**30
)  # fmt: skip
FLEET = Fleet(
    100.0,
    (
        HostSnapshot(host=HOST, connection=Connection.CONNECTED, observed_at=99.0),
        HostSnapshot(
            host=replace(HOST, name="h2"), connection=Connection.CONNECTED, observed_at=99.0, vms=(WEB,)
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("wanted", ["h1/web", "h1/u"])
def test_a_vm_on_another_host_than_was_said_is_found_there(wanted: str) -> None:
    """It may have moved since."""
    with pytest.raises(UsageError, match=f"no VM '{wanted}'") as refused:
        find_vm(FLEET, wanted)
    assert refused.value.hint == f"{wanted[3:]} is on h2"


def test_hosts_that_were_not_asked_are_named_with_the_reason() -> None:
    """Each reason once: it is often the same for all."""
    off = HostSnapshot(host=HOST, connection=Connection.OFF, error="realm main is not configured")
    silent = HostSnapshot(host=replace(HOST, name="h3"), connection=Connection.CONNECTING)
    fleet = Fleet(100.0, (off, replace(off, host=replace(HOST, name="h2")), silent))
    with pytest.raises(UsageError) as refused:
        find_vm(fleet, "web")
    assert refused.value.hint == (
        "h1, h2 did not answer: realm main is not configured; h3 did not answer: no answer in time"
    )


def test_a_name_that_is_there_twice_is_offered_once() -> None:
    """A drive is in the running VM and in its definition."""
    with pytest.raises(UsageError) as refused:
        check_known("drive", "d2", ["d1", "d1"])
    assert "d1" in refused.value.hint
    assert refused.value.hint.count("d1") == 1
    with pytest.raises(UsageError) as refused:
        check_known("drive", "data", ["other", "other"])
    assert refused.value.hint == "known: other"


def test_a_vm_named_with_its_host_needs_no_other_host() -> None:
    """A name alone might fit another VM on a host that has not answered yet; so might a host's old news."""
    lost = replace(FLEET.hosts[1], connection=Connection.UNREACHABLE)
    assert finds("h2/web", FLEET)
    assert not finds("web", FLEET)
    assert not finds("h2/web", replace(FLEET, hosts=(lost,)))
