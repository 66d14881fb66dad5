"""The application on a real terminal: it starts, is quiet, ends in time, and gives the terminal back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from core.errors import UsageError
from tui.terminal.capabilities import check_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = """
import sys
from tests.tui.world import saved
from tui.app.app import run
sys.exit(run(saved()))
"""
LEAVES_FULL_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
FIGURES = "100\N{NO-BREAK SPACE}023.1".encode()
"""A cost that the first screen shows."""


class Terminal:
    """A process on a pseudo-terminal of 120 columns."""

    def __init__(self, program: str, home: Path) -> None:
        self.master, slave = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, close_fds=True,
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(home)},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread runs in the child
        )  # fmt: skip
        os.close(slave)
        self.written = b""

    def read_until(self, wanted: bytes, seconds: float = 30.0) -> bool:
        """Read until some bytes have been written, or the time is up; tells which."""
        end = time.monotonic() + seconds
        while wanted not in self.written and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:  # the other side is closed
                    break
        return wanted in self.written

    def read_for(self, seconds: float) -> bytes:
        """Read whatever is written within some time."""
        before = len(self.written)
        self.read_until(b"never written by anyone", seconds)
        return self.written[before:]

    def code(self) -> int:
        """Wait for the end, reading on, and give the exit code."""
        self.read_until(b"never written by anyone", 0.3)
        return self.process.wait(timeout=20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Return what starts a program on a terminal; whatever is left of it ends with the test."""
    started: list[Terminal] = []

    def begin(program: str) -> Terminal:
        started.append(Terminal(program, tmp_path))
        return started[-1]

    yield begin
    for terminal in started:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()


@pytest.fixture
def terminal(start: Callable[[str], Terminal]) -> Terminal:
    """Start the application, and wait for its first figures."""
    started = start(PROGRAM)
    assert started.read_until(FIGURES), started.written[-2000:]
    return started


def test_an_idle_screen_sends_nothing(terminal: Terminal) -> None:
    """Over a slow line that is what keeps the keys quick."""
    terminal.read_for(1.0)
    assert terminal.read_for(2.0) == b""


@pytest.mark.parametrize(
    ("number", "code"), [(None, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["q", "SIGTERM", "SIGHUP"]
)
def test_it_ends_and_gives_the_terminal_back(terminal: Terminal, number: signal.Signals | None, code: int) -> None:
    """Full screen left, cursor shown, whatever ended it."""
    if number is None:
        os.write(terminal.master, b"q")
    else:
        terminal.process.send_signal(number)
    assert terminal.code() == code
    end = terminal.written[-400:]
    assert LEAVES_FULL_SCREEN in end
    assert SHOWS_CURSOR in end
    assert b"Traceback" not in terminal.written


def test_it_ends_when_its_terminal_is_gone(terminal: Terminal) -> None:
    """Rather than keep a processor busy for nobody."""
    os.close(terminal.master)
    assert terminal.process.wait(timeout=20) != 0


def test_a_stuck_thread_does_not_hold_up_the_end(start: Callable[[str], Terminal]) -> None:
    """The last resort ends the process under it."""
    stuck = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()\n"
    started = start(stuck + PROGRAM)
    assert started.read_until(FIGURES)
    os.write(started.master, b"q")
    assert started.code() == 0


def test_an_unforeseen_error_shows_no_local_variables(start: Callable[[str], Terminal]) -> None:
    """They may hold secrets; the error itself goes to whoever runs the application."""
    broken = PROGRAM.replace(
        "from tui.app.app import run\n",
        "from tui.app.app import run, RealmsApp\n"
        "def fail(self):\n    password = 'hunter2-secret'\n    raise ZeroDivisionError('unforeseen')\n"
        "RealmsApp.show = fail\n",
    )
    started = start(broken)
    assert started.read_until(b"ZeroDivisionError: unforeseen")
    assert started.code() == 1
    assert b"hunter2" not in started.written.replace(b"password = 'hunter2-secret'", b"")
    assert LEAVES_FULL_SCREEN in started.written


def test_without_a_terminal_it_names_the_subcommands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input of the tests is none."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="standard input is not one") as caught:
        check_terminal()
    assert "realms hosts list" in caught.value.hint


def test_a_dumb_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no cursor to move."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(UsageError, match="TERM is dumb"):
        check_terminal()
