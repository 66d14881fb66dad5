"""Runs a program on a pseudo-terminal and waits for what it draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@dataclass(slots=True)
class Screen:
    """A program on a pseudo-terminal of 120x40; `started` is the moment at which it was started."""

    process: subprocess.Popen[bytes]
    master: int
    started: float
    drawn: bytearray = field(default_factory=bytearray)

    def read(self, timeout: float) -> int:
        """Take what has been drawn within `timeout` seconds; gives the number of bytes."""
        ready, _, _ = select.select([self.master], [], [], max(0.0, timeout))
        if not ready:
            return 0
        try:
            piece = os.read(self.master, 1 << 16)
        except OSError:  # the program has ended
            return 0
        self.drawn += piece
        return len(piece)

    def wait_for(self, pattern: str, timeout: float = 30.0) -> float:
        """Seconds from the start until a pattern stands in what was drawn; raises TimeoutError."""
        wanted = re.compile(pattern.encode())
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.read(0.05)
            if wanted.search(_ESCAPES.sub(b"", bytes(self.drawn))):
                return time.monotonic() - self.started
            if self.process.poll() is not None and not self.read(0.0):
                break
        message = f"{pattern!r} was never drawn; the end was {bytes(self.drawn[-400:])!r}"
        raise TimeoutError(message)

    def drain(self, seconds: float) -> int:
        """Let it run for some seconds; gives the bytes that it sent."""
        deadline, sent = time.monotonic() + seconds, 0
        while (left := deadline - time.monotonic()) > 0:
            sent += self.read(left)
        return sent

    def resident_mb(self) -> float:
        """Resident memory of the process now, in MB (a million bytes)."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6

    def cpu_seconds(self) -> float:
        """Processor time that the process has used so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def on_terminal(command: Sequence[str], environment: dict[str, str] | None = None) -> Iterator[Screen]:
    """Start a program on a terminal of its own, and end it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})},
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Screen(process, master, started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(master)
