"""Whether another process lives: by its machine, boot, number and start, never by a guess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from core import workers
from core.workers import Worker, WorkerState, this_worker, worker_from

TELL = "import json; from core.workers import this_worker; print(json.dumps(this_worker().as_mapping()), flush=True)"


def tell(then=""):
    """Start a process that says who it is, and waits or ends."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; {TELL}; {then}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_another_process_lives_until_it_ends():
    """Killed and not yet waited for, it has ended too."""
    with tell("sys.stdin.read()") as process:
        other = worker_from(json.loads(process.stdout.readline()))
        assert other.pid == process.pid != os.getpid()
        assert other.state() is WorkerState.ALIVE
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert other.state() is WorkerState.ENDED  # a zombie
    assert other.state() is WorkerState.ENDED


HERE = this_worker()
CASES = {
    "itself": (HERE, WorkerState.ALIVE),
    "its number given again": (replace(HERE, started=HERE.started + 1), WorkerState.ENDED),
    "before a reboot": (replace(HERE, boot=f"other/{HERE.boot.partition('/')[2]}"), WorkerState.ENDED),
    "in another container": (replace(HERE, boot=f"{HERE.boot.partition('/')[0]}/1-2"), WorkerState.UNKNOWN),
    "on another machine": (replace(HERE, machine="0" * 32), WorkerState.UNKNOWN),
    "on a machine that has no id": (replace(HERE, machine=""), WorkerState.UNKNOWN),
}


@pytest.mark.skipif(not HERE.machine, reason="this machine has no machine id")
@pytest.mark.parametrize("case", CASES)
def test_what_can_be_told_of_a_process(case):
    """Only a process of this machine is known to have ended."""
    worker, state = CASES[case]
    assert worker.state() is state


def test_a_machine_without_an_id_knows_no_process(monkeypatch):
    """Two of them would be taken for one."""
    monkeypatch.setattr(workers, "_MACHINE_IDS", ())
    workers._worker.cache_clear()
    try:
        assert this_worker().state() is WorkerState.UNKNOWN
    finally:
        workers._worker.cache_clear()


def test_a_hidden_process_is_unknown_while_it_exists(monkeypatch, tmp_path):
    """/proc mounted with hidepid: it exists, and may be another with its number."""
    monkeypatch.setattr(workers, "_PROC", tmp_path)
    assert HERE.state() is WorkerState.UNKNOWN


@pytest.mark.parametrize(
    "fields",
    [None, [], {}, {"machine": "m"}, HERE.as_mapping() | {"pid": "1"}, HERE.as_mapping() | {"pid": -1},
     HERE.as_mapping() | {"started": 10**30}, HERE.as_mapping() | {"boot": 1}],
)  # fmt: skip
def test_what_identifies_no_process_is_none(fields):
    """As older programs and damaged files have it."""
    assert worker_from(fields) is None


def test_a_worker_comes_back_as_it_was_written():
    """Through JSON."""
    assert worker_from(json.loads(json.dumps(HERE.as_mapping()))) == HERE
    assert isinstance(HERE, Worker)
