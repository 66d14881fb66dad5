"""Asking a host once: `realms hosts test`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from core.driver.hosts.probe import probe
from core.errors import HostTimeout, HostUnreachable
from core.fleet.fleet import PoolState
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import LONG, Guest, write_node

if TYPE_CHECKING:
    from pathlib import Path


def test_a_host_reports_what_it_is(tmp_path: Path) -> None:
    """Size, versions, domains and pools."""
    guests = [Guest(name="on"), Guest(name="off", state="shutoff")]
    report = probe(write_node(tmp_path / "node.xml", guests, pools=["ticrypt-vm"]), LONG)
    assert (report.hypervisor, report.cores, report.memory_bytes) == ("TEST", 16, 64 * 1024**3)
    assert (report.domains, report.active_domains, report.pools) == (2, 1, {"ticrypt-vm": PoolState.ACTIVE})
    assert report.libvirt_version.count(".") == 2
    assert report.duration > 0


def test_a_silent_host_is_not_waited_for(tmp_path: Path) -> None:
    """The deadline holds though libvirt's own call knows none."""
    with silent_host() as silent:
        started = time.monotonic()
        with pytest.raises(HostTimeout, match=r"h1: no answer within 0\.5 s at qemu\+tcp"):
            probe(silent.uri, 0.5, host="h1")
        assert time.monotonic() - started < LONG / 2


def test_a_refusal_says_what_helps() -> None:
    """Without a name it begins with what is wrong."""
    with pytest.raises(HostUnreachable) as caught:
        probe(f"qemu+tcp://127.0.0.1:{refused_port()}/system", LONG)
    assert caught.value.message.startswith("connection refused at qemu+tcp://127.0.0.1")
    assert caught.value.hint == "is libvirtd running there?"
