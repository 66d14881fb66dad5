"""The way to a host, step by step, and how soon it is left when nobody wants to know any more."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.codes import Check
from core.diagnostics import Severity
from core.errors import Cancelled
from core.hosts import Host
from core.operations.doctor.contact import Contact, reach
from core.operations.ssh.login import run
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import LONG, Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def contact(uri: str, timeout: float = LONG, **more: object) -> Contact:
    """Go the way to a URI that is not registered."""
    return reach(Host(name="h9", realm="", uri=uri, profile=""), timeout, SystemClock(), **more)  # type: ignore[arg-type]


def stopped_when(waiting: Callable[[], object], stop: threading.Event) -> None:
    """Set `stop` as soon as something has been waited for, in a thread."""
    threading.Thread(target=lambda: (waiting(), stop.set()), daemon=True).start()


def test_a_host_that_answers_says_what_it_is(tmp_path: Path) -> None:
    """Also how many VMs are there, off or not, and that no realm has marked them."""
    uri = write_node(tmp_path / "h9.xml", [Guest(name="a"), Guest(name="b", state="shutoff")])
    told: list[str] = []
    met = contact(uri, on_result=told.append)
    assert met.survey is not None
    assert (met.survey.hardware.cores, met.survey.occupation.vms, met.survey.occupation.off) == (16, 1, 1)
    assert met.survey.occupation.by_realm == {"": 2}
    assert (met.target, told) == (None, ["asking libvirt"])


def ends_at(met: Contact, check: Check) -> bool:
    """Return whether the way ends at this check."""
    return any(each.check is check and each.severity is Severity.ERROR for each in met.findings)


def test_a_refused_login_ends_the_way(tmp_path: Path) -> None:
    """Libvirt would go the same."""
    met = contact(f"qemu+ssh://root@127.0.0.1:{refused_port()}/system")
    assert met.survey is None
    assert ends_at(met, Check.LOGIN)
    assert not ends_at(met, Check.LIBVIRT)


def test_a_host_without_libvirtd_and_a_uri_that_is_refused_are_findings(tmp_path: Path) -> None:
    """Nothing is raised."""
    assert ends_at(contact(f"qemu+tcp://127.0.0.1:{refused_port()}/system"), Check.LIBVIRT)


def test_a_hung_host_is_told_in_its_time() -> None:
    """With what to do."""
    with silent_host() as silent:
        met = contact(silent.uri, timeout=0.5)
    (found,) = (each for each in met.findings if each.check == "libvirt")
    assert (found.what, found.mend.partition("?")[0]) == ("no answer in 0.5 s", "is libvirtd hung")


def test_a_hung_host_is_left_as_soon_as_nobody_waits() -> None:
    """Long before its time is over."""
    stop, started = threading.Event(), time.monotonic()
    with silent_host() as silent:
        stopped_when(lambda: silent.wait_for_talkers(1, LONG), stop)
        with pytest.raises(Cancelled):
            contact(silent.uri, stop=stop)
    assert time.monotonic() - started < LONG / 2


def test_a_silent_login_is_left_as_soon_as_nobody_waits() -> None:
    """The ssh program is ended."""
    stop, started = threading.Event(), time.monotonic()
    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped_when(lambda: clients.append(server.accept()[0]), stop)
        with pytest.raises(Cancelled):
            contact(f"qemu+ssh://root@127.0.0.1:{server.getsockname()[1]}/system", stop=stop)
    assert time.monotonic() - started < 9.0
    assert [client.close() for client in clients] == [None]


def test_a_program_that_may_be_stopped_reads_and_writes_as_any_other() -> None:
    """More than a pipe holds, and its end is its own."""
    text = "line\n" * 50_000
    outcome = run(["cat"], LONG, stdin=text, stop=threading.Event())
    assert (outcome.code, outcome.out == text) == (0, True)
    assert run(["sleep", "60"], 0.3, stop=threading.Event()).code is None
    assert run(["no such program"], 1.0, stop=threading.Event()).code == 127
