"""Files that a user names: regular ones, or a pipe that is read to its end within a bound and a deadline."""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import BinaryIO, cast

STANDARD_INPUT = Path("-")
DEADLINE = 60.0
"""Seconds after which a pipe must have given all that it has."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; raises OSError, also for what would block or never end: a pipe, a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a regular file")


def open_input(path: Path, deadline: float = DEADLINE, *, clock: Callable[[], float] = monotonic) -> BinaryIO:
    """Open a regular file, a pipe, or standard input (`-`); raises OSError, which says what else it is.

    A pipe that has not given everything after `deadline` seconds raises TimeoutError (an OSError) while it is read.
    """
    if path == STANDARD_INPUT:
        descriptor = os.dup(sys.stdin.fileno())
        if os.isatty(descriptor):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "standard input is a terminal: redirect a file or a pipe to it")
    else:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        return cast("BinaryIO", io.BufferedReader(_Pipe(descriptor, deadline, clock)))
    os.close(descriptor)
    raise OSError(errno.EINVAL, f"it is {_kind(mode)}, neither a regular file nor a pipe")


def read_all(file: BinaryIO, most: int) -> bytes:
    """Return the rest of a file; raises OSError, also for more than `most` bytes."""
    content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1024**2} MiB")
    return content


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


class _Pipe(io.RawIOBase):
    """What another program writes, until it closes its end or the deadline passes."""

    def __init__(self, descriptor: int, deadline: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._seconds = deadline
        self._until = clock() + deadline
        self._clock = clock

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer of bytes
        while True:
            left = self._until - self._clock()
            if left <= 0:
                raise TimeoutError(errno.ETIMEDOUT, f"no end of it within {self._seconds:g} seconds")
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            if not poll.poll(left * 1000):
                continue
            try:
                content = os.read(self._descriptor, len(buffer))
            except BlockingIOError:
                continue
            buffer[: len(content)] = content
            return len(content)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
