"""The URI that libvirt gets, the ssh clients that it starts, and alarms for calls without a deadline."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.driver.connection.alarms import Alarms
from core.driver.connection.connection import effective_uri
from core.driver.connection.process import end_ssh_children, ssh_children, waits_for_an_answer
from core.uris import parse_uri
from tests.driver.worlds import LONG


@pytest.mark.parametrize(
    ("uri", "effective"),
    [
        ("qemu+ssh://root@h/system", "qemu+ssh://root@h/system?no_tty=1"),
        ("qemu+ssh://h:22/system?keyfile=/a/b&no_tty=0", "qemu+ssh://h:22/system?keyfile=/a/b&no_tty=1"),
        ("qemu+ssh://h/system?keyfile=/a%20b%26c", "qemu+ssh://h/system?keyfile=/a%20b%26c&no_tty=1"),
        ("qemu+ssh://h/system?keyfile=/a+b", "qemu+ssh://h/system?keyfile=/a+b&no_tty=1"),
        ("qemu+ssh://h/system?No%5Ftty=0;no_verify=1", "qemu+ssh://h/system?no_verify=1&no_tty=1"),
        ("qemu+ssh://h/system?keyfile=/a;b&no_verify=1", "qemu+ssh://h/system?keyfile=/a%3Bb&no_verify=1&no_tty=1"),
        ("qemu:///system", "qemu:///system"),
        ("qemu+libssh2://h/system", "qemu+libssh2://h/system"),
        ("test:///a/node.xml", "test:///a/node.xml"),
    ],
)
def test_an_ssh_client_never_gets_the_terminal(uri: str, effective: str) -> None:
    """Everything else of the URI is as the administrator wrote it."""
    assert effective_uri(parse_uri(uri)) == effective


@pytest.fixture
def ssh(tmp_path: Path) -> str:
    """Return a program that is called ssh, and sleeps."""
    program = tmp_path / "ssh"
    shutil.copy("/bin/sleep", program)
    return str(program)


def wait_for_name(pid: int, name: str) -> None:
    """Wait until a process has the name of its program: the kernel gives it a moment after the start."""
    until = time.monotonic() + LONG
    while Path(f"/proc/{pid}/comm").read_text().strip() != name:
        assert time.monotonic() < until


def test_only_the_ssh_clients_of_the_thread_in_question_are_ended(ssh: str) -> None:
    """Not those of another thread, and no other program."""
    mine = [subprocess.Popen([ssh, "600"]), subprocess.Popen(["/bin/sleep", "600"])]
    others: list[subprocess.Popen[bytes]] = []
    started, done = threading.Event(), threading.Event()

    def other_thread() -> None:
        others.append(subprocess.Popen([ssh, "600"]))
        started.set()
        done.wait(LONG)

    thread = threading.Thread(target=other_thread)
    thread.start()
    try:
        assert started.wait(LONG)
        assert thread.native_id is not None
        for process in (mine[0], others[0]):
            wait_for_name(process.pid, "ssh")
        assert ssh_children(thread.native_id) == (others[0].pid,)
        assert not waits_for_an_answer(thread.native_id)
        assert end_ssh_children(thread.native_id) == 1
        assert others[0].wait(LONG) == -15
        assert [process.poll() for process in mine] == [None, None]
        assert end_ssh_children(threading.get_native_id()) == 1
        assert mine[0].wait(LONG) == -15
        assert mine[1].poll() is None
    finally:
        done.set()
        thread.join(LONG)
        for process in [*mine, *others]:
            process.kill()
            process.wait(LONG)


def test_a_thread_that_is_gone_has_no_children() -> None:
    """Ids come from a thread that may end at any moment."""
    assert ssh_children(2**22 + 1) == ()
    assert end_ssh_children(2**22 + 1) == 0


def test_alarms_ring_in_the_order_of_their_times_unless_cancelled() -> None:
    """And none after closing."""
    alarms, rung, done = Alarms(SystemClock()), [], threading.Event()
    late = alarms.after(0.3, done.set)
    alarms.after(0.2, lambda: rung.append("second"))
    alarms.after(0.1, lambda: rung.append("cancelled")).cancel()
    alarms.after(0.0, lambda: rung.append("first"))
    alarms.after(LONG, lambda: rung.append("never"))
    assert done.wait(LONG)
    assert rung == ["first", "second"]
    alarms.close()
    assert late.is_cancelled
