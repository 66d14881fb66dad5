"""A connection of its own for a long job."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from core.driver.connection.jobs import job_connection
from core.errors import HostTimeout, HostUnreachable
from core.hosts import Host, HostState
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import LONG, write_node

if TYPE_CHECKING:
    from pathlib import Path


def host_at(uri: str, state: HostState = HostState.ENABLED) -> Host:
    """Describe a host."""
    return Host(name="h1", realm="r", uri=uri, profile="p", state=state)


def test_a_job_has_a_connection_as_long_as_its_block(tmp_path: Path) -> None:
    """It is closed behind it, also where the job fails."""
    host = host_at(write_node(tmp_path / "node.xml", []))
    with job_connection(host, LONG) as connection:
        assert connection.is_alive()
    assert not connection.is_alive()
    with pytest.raises(ZeroDivisionError), job_connection(host, LONG) as connection:
        raise ZeroDivisionError
    assert not connection.is_alive()


def test_a_silent_host_holds_a_job_up_until_the_deadline_only() -> None:
    """Though the thread that waits for it can't be freed."""
    with silent_host() as silent:
        started = time.monotonic()
        with pytest.raises(HostTimeout, match=r"h1: no answer within 0\.5 s"), job_connection(host_at(silent.uri), 0.5):
            pytest.fail("no connection can be there")
        assert time.monotonic() - started < LONG / 2


def test_nothing_connects_to_a_disabled_host(tmp_path: Path) -> None:
    """Its VMs go on unwatched, and no job is done there."""
    host = host_at(write_node(tmp_path / "node.xml", []), HostState.DISABLED)
    with pytest.raises(HostUnreachable, match="h1: the host is disabled") as caught, job_connection(host, LONG):
        pytest.fail("no connection can be there")
    assert caught.value.hint == "realms hosts enable h1"


@pytest.mark.parametrize("uri", ["qemu+tcp://127.0.0.1:PORT/system", "nonsense", "test:///no/such/file"])
def test_what_cannot_be_opened_says_why_and_leaves_no_thread(uri: str) -> None:
    """As an error that names the host."""
    uri = uri.replace("PORT", str(refused_port()))
    with pytest.raises(HostUnreachable, match="h1: "), job_connection(host_at(uri), LONG):
        pytest.fail("no connection can be there")
    openers = [thread for thread in threading.enumerate() if thread.name == "question to h1"]
    for opener in openers:
        opener.join(LONG)
    assert not any(opener.is_alive() for opener in openers)
