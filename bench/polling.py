"""What it costs to look at a host with 30 VMs once: this program's poll beside one call for each VM and figure.

On a real libvirt host of the lab (tests/lab), reached by ssh, at no delay and at a round trip of 50 ms. Its guests are
real domains with QEMU processes, active and paused, so that 30 of them idle on two processors. Calls are the messages
that libvirt's own client library logs as sent to the host (`LIBVIRT_LOG_FILTERS=1:rpc`), in a run of its own: times are
measured without the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

GUESTS = 30
DELAYS_MS = (0, 50)
POLLS = {"ours": 12, "peer": 3}
"""Polls that are counted. Twelve of ours have the pools listed twice, as every sixth has."""

_REMOTE_PROGRAM = "prog=536903814"
"""Libvirt's own protocol; keepalive has another number."""

ROOT = Path(__file__).parent.parent


def our_poll(uri: str) -> Callable[[], None]:
    """Connect as a lane does; gives what it does in each round, once it knows the VMs."""
    from core.clock import SystemClock
    from core.driver.connection.connection import open_connection
    from core.driver.lanes.session import HostPoller

    session = HostPoller(open_connection("h1", uri), SystemClock(), lambda: None, asks_monitors=True)

    def poll() -> None:
        session.poll()
        session.refresh_pools()
        session.look_up_addresses(lambda: True)
        assert len(session.seen) == GUESTS

    poll()
    return poll


def peer_poll(uri: str) -> Callable[[], None]:
    """Connect; gives the poll of tools that ask for each VM by itself: state, size, CPU, memory, definition."""
    import libvirt

    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open(uri)

    def poll() -> None:
        domains = connection.listAllDomains()
        assert len(domains) == GUESTS
        for domain in domains:
            for ask in (domain.info, domain.state, domain.memoryStats, domain.XMLDesc):
                ask()
            # The lab's hosts have no control groups: the answer is an error, after the same round trip.
            with contextlib.suppress(libvirt.libvirtError):
                domain.getCPUStats(total=True)

    return poll


def measure(way: str, uri: str, log: str) -> None:
    """Poll as often as that takes and print what it took, as JSON: what runs in a process of its own."""
    poll = {"ours": our_poll, "peer": peer_poll}[way](uri)
    calls, took = _calls(log), []
    for _ in range(POLLS[way]):
        started = time.perf_counter()
        poll()
        took.append(time.perf_counter() - started)
    print(json.dumps({"calls": (_calls(log) - calls) / POLLS[way], "seconds": statistics.median(took)}), flush=True)
    os._exit(0)  # closing has nothing to do with polling


def _calls(log: str) -> int:
    if not log:
        return 0
    with open(log, encoding="utf-8", errors="replace") as lines:
        return sum("RPC_CLIENT_MSG_TX_QUEUE" in line and _REMOTE_PROGRAM in line and "type=0" in line for line in lines)


def in_process(way: str, uri: str, *, counted: bool) -> dict[str, float]:
    """Measure in a process of its own, with libvirt's log or without."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/rpc.log" if counted else ""
        logging = {"LIBVIRT_LOG_FILTERS": "1:rpc", "LIBVIRT_LOG_OUTPUTS": f"1:file:{log}"} if counted else {}
        done = subprocess.run(
            [sys.executable, "-m", "bench.polling", way, uri, log],
            cwd=ROOT, env=os.environ | logging, capture_output=True, text=True, check=True,
        )  # fmt: skip
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def polling() -> None:
    """Print a table: calls and seconds of one poll, ours and one call per VM, at each delay."""
    from tests.lab import Boot, Lab, why_not

    reason = why_not()
    if reason is not None:
        print(f"polling: not measured, {reason}")
        return
    with Lab.start(hosts=1, storage_mib=256) as lab:
        host = lab.hosts[0]
        for number in range(GUESTS):
            host.define_guest(f"guest-{number:02}", memory_mib=32, boot=Boot.NOTHING, network=None)
            host.start_guest(f"guest-{number:02}", paused=True)
        print(f"one poll of a host with {GUESTS} active, paused VMs, by ssh; calls as libvirt's client logs them")
        print(f"{'round trip':<12}{'ours':>26}{'one call per VM and figure':>32}")
        for delay in DELAYS_MS:
            host.slow(delay)
            figures = []
            for way in ("ours", "peer"):
                calls = in_process(way, host.uri, counted=True)["calls"]
                seconds = in_process(way, host.uri, counted=False)["seconds"]
                figures.append(f"{calls:6.2f} calls {seconds:8.3f} s")
            print(f"{delay:>7} ms  {figures[0]:>26}{figures[1]:>32}")
        print("ours: 1 call, and 2 more after every sixth poll, which list the pools")


if __name__ == "__main__":
    measure(*sys.argv[1:4])
